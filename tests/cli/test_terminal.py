"""Commands as a person sees them, on a pseudo-terminal."""

import os
import socket
import sys
from pathlib import Path

import pexpect
import pytest

from webemo_curate.workspace import Workspace

CURATE = str(Path(sys.executable).with_name("curate"))
PATIENCE = 200
"""Seconds after which something is stuck, on however busy a machine."""


def started(*arguments: object) -> "pexpect.spawn[str]":
    """Start a command on a terminal of its own."""
    return pexpect.spawn(
        CURATE, list(map(str, arguments)), encoding="utf-8", timeout=PATIENCE, env=dict(os.environ)
    )


def ended_by_ctrl_c(terminal: "pexpect.spawn[str]") -> str:
    """Press Ctrl-C; return all that was said from then on."""
    terminal.sendintr()
    said = terminal.read()
    terminal.close()
    assert terminal.exitstatus == 130, said
    return str(said)


def test_ctrl_c_while_fetching_says_what_is_kept(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/1.jpg"
        (tmp_path / "list.txt").write_text(f"{url} 3\n")
        place = ("--workspace", tmp_path / "ws", "--allow-private", "--ignore-robots")
        terminal = started("fetch", "--lists", tmp_path / "list.txt", *place)
        terminal.expect("fetch: runs")
        silent.accept()
        said = ended_by_ctrl_c(terminal)
    assert "curate: stopped; finished work is kept" in said
    assert "Traceback" not in said
    assert "Aborted" not in said


@pytest.mark.slow
def test_ctrl_c_while_training_comes_after_a_line_an_epoch(
    trained: tuple[Workspace, Path],
) -> None:
    workspace, _ = trained
    (workspace.root / "curate.yaml").unlink(missing_ok=True)
    options = ("--only", "--from-scratch", "--epochs", 500, "--image-size", 32, "--batch-size", 2)
    terminal = started("train-model", *options, "--workspace", workspace.root)
    terminal.expect(r"epoch 1 of 500: loss [0-9.]+, accuracy [0-9.]+%, validation")
    said = ended_by_ctrl_c(terminal)
    assert "curate: stopped; finished work is kept" in said
    assert "Traceback" not in said
