"""Commands as a person sees them, on a pseudo-terminal."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pexpect
import pytest
from PIL import Image

from tests.exports.shared_set import fill
from tests.trainable import TINY, write_experiment
from webemo_curate.cli import ANEW, KEPT, STOPPED, main
from webemo_curate.config import ExportConfig
from webemo_curate.releases.release import release
from webemo_curate.workspace import Workspace

CURATE = str(Path(sys.executable).with_name("curate"))
PATIENCE = 200
"""Seconds after which something is stuck, on however busy a machine."""

LONG = 50_000
"""Pictures that take longer than a bar waits, on however fast a machine."""


def started(*arguments: object, place: Path | None = None) -> "pexpect.spawn[str]":
    """Start a command on a terminal of its own."""
    words = list(map(str, arguments))
    return pexpect.spawn(
        CURATE, words, encoding="utf-8", timeout=PATIENCE, env=dict(os.environ), cwd=place
    )


def ended_by_ctrl_c(terminal: "pexpect.spawn[str]") -> str:
    """Press Ctrl-C; return all that was said from then on."""
    terminal.sendintr()
    said = terminal.read()
    terminal.close()
    assert terminal.exitstatus == 130, said
    return str(said)


def said_and_stopped(terminal: "pexpect.spawn[str]", message: str = KEPT) -> None:
    """Press Ctrl-C; check that the command ends with its one message."""
    said = ended_by_ctrl_c(terminal)
    assert message in said
    assert "Traceback" not in said
    assert "Aborted" not in said


def test_a_program_that_calls_the_command_keeps_its_own_ctrl_c(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(sys, "argv", ["curate", "--version"])
    with pytest.raises(SystemExit):
        main()
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_while_fetching_says_what_is_kept(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/1.jpg"
        (tmp_path / "list.txt").write_text(f"{url} 3\n")
        place = ("--workspace", tmp_path / "ws", "--allow-private", "--ignore-robots")
        terminal = started("fetch", "--lists", tmp_path / "list.txt", *place)
        terminal.expect("fetch: runs")
        silent.accept()
        said_and_stopped(terminal)


@pytest.mark.slow
def test_ctrl_c_while_training_comes_after_a_line_an_epoch(
    trained: tuple[Workspace, Path],
) -> None:
    workspace, _ = trained
    (workspace.root / "curate.yaml").unlink(missing_ok=True)
    small = ("--image-size", 32, "--batch-size", 8, "--grams", 0)
    options = ("--only", "--from-scratch", "--epochs", 500, *small)
    terminal = started("train-model", *options, "--workspace", workspace.root)
    terminal.expect(r"epoch 1 of 500: loss [0-9.]+, accuracy [0-9.]+%, validation")
    said_and_stopped(terminal)


@pytest.mark.slow
def test_ctrl_c_in_an_experiment_leaves_no_result(workspace: Workspace, tmp_path: Path) -> None:
    long = TINY.model_copy(update={"epochs": 500})
    common = long.model_dump(mode="json", exclude={"grams", "seeds"}, exclude_unset=True)
    file = write_experiment(tmp_path, common=common | {"seeds": 2})
    terminal = started("experiment", file, "--workspace", workspace.root)
    terminal.expect("epoch 1 of 500")
    said_and_stopped(terminal)
    assert not [*workspace.root.glob("experiments/*/*.md")]


@pytest.mark.slow
def test_ctrl_c_while_predicting(trained: tuple[Workspace, Path]) -> None:
    workspace, run = trained
    shutil.copy(next(workspace.root.glob("data/images/**/*.png")), workspace.root / "1.png")
    terminal = started("predict", run.name, *["1.png"] * LONG, place=workspace.root)
    terminal.expect(r"predict: +\d+%")
    said_and_stopped(terminal, ANEW)


def test_ctrl_c_in_a_release_leaves_none_or_a_whole_one(tmp_path: Path) -> None:
    workspace = fill(Workspace(tmp_path / "ws"))
    options = ("--license", "cc-by-4.0", "--workspace", workspace.root)
    terminal = started("release", tmp_path / "set", *options)
    while not [*tmp_path.glob(".set.*")] and terminal.isalive():
        time.sleep(0.001)
    said_and_stopped(terminal, ANEW)
    assert not [*tmp_path.glob(".set.*")]
    if (tmp_path / "set").exists():
        check = ("sha256sum", "--check", "SHA256SUMS")
        subprocess.run(check, cwd=tmp_path / "set", check=True)


def test_ctrl_c_in_a_rebuild_leaves_no_split(tmp_path: Path) -> None:
    release(fill(Workspace(tmp_path / "ws")), tmp_path / "set", ExportConfig(license="cc-by-4.0"))
    theirs = tmp_path / "theirs"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mirror = f"http://127.0.0.1:{silent.getsockname()[1]}"
        options = ("--mirror", mirror, "--allow-private", "--ignore-robots", "--workspace", theirs)
        terminal = started("rebuild", tmp_path / "set", *options)
        silent.accept()
        said_and_stopped(terminal)
    assert not [*theirs.glob("manifests/train*")]


PICTURES = 48
INTO_SECONDS = 2.0
"""After the start of a command: its modules are being imported, or it is at work."""


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of pictures that text is looked for in for some seconds."""
    folder = tmp_path_factory.mktemp("photos")
    generator = np.random.default_rng(5)
    for number in range(PICTURES):
        (folder / f"class{number % 2}").mkdir(exist_ok=True)
        coarse = Image.fromarray(generator.integers(0, 256, (9, 12, 3), dtype=np.uint8))
        coarse.resize((640, 480)).save(folder / f"class{number % 2}" / f"{number}.jpg")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_bars_move_within_a_partition(photos: Path, tmp_path: Path, workers: int) -> None:
    place = tmp_path / "ws"
    arguments = ("--lists", photos, "--workers", workers, "--workspace", place)
    fetched = started("fetch", *arguments)
    fetched.expect(pexpect.EOF)
    terminal = started("filter-text", "--cpu", "--workers", workers, "--workspace", place)
    terminal.expect(pexpect.EOF)
    terminal.close()
    shown = terminal.before
    assert terminal.exitstatus == 0, shown
    moved = {int(done) for done in re.findall(rf"ocr:[^\r\n]*?(\d+)/{PICTURES} ", shown)}
    assert len(moved) > workers * 4, "more steps than partitions"
    assert re.search(r"\d+ of 48 images bear text", shown)
    assert f"Next: curate dedup --workspace {place}" in shown


@pytest.mark.slow
def test_ctrl_c_at_every_stage_says_what_is_kept(photos: Path, tmp_path: Path) -> None:
    for stage in ("images", "ocr", "features", "pairs"):
        terminal = started("dedup", "--workspace", workspace_of(photos, tmp_path))
        terminal.expect(f"{stage}: runs")
        said_and_stopped(terminal)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["evaluate --on validation", "report", "verify", "export csv"])
def test_ctrl_c_in_commands_without_stages(
    trained: tuple[Workspace, Path], tmp_path: Path, command: str
) -> None:
    workspace, _ = trained
    folder = ("--to", tmp_path / "out") if command.startswith("export") else ()
    terminal = started(*command.split(), *folder, "--workspace", workspace.root)
    time.sleep(INTO_SECONDS)
    terminal.sendintr()
    said = terminal.read()
    terminal.close()
    assert "Traceback" not in said
    assert KEPT not in said
    had_ended = terminal.exitstatus in (0, 2) or "curate: " in said  # it was leaving already
    assert had_ended or STOPPED in said


def workspace_of(photos: Path, folder: Path) -> Path:
    """Return a workspace that remembers where its pictures come from."""
    place = folder / "ws"
    place.mkdir(exist_ok=True)
    if not (place / "curate.yaml").exists():
        (place / "curate.yaml").write_text(f"listing:\n  lists: [{photos}]\n")
    return place
