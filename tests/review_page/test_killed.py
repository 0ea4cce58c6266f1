"""The command as a person runs it: killed in the middle, ended by Ctrl-C."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.review_page.asking import ask
from tests.review_page.conftest import CURATE, decided
from webemo_curate.workspace import Workspace

Start = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.fixture
def started(start_command: Start) -> tuple[subprocess.Popen[str], str]:
    return start_command()


@pytest.mark.slow
def test_a_kill_loses_nothing_that_was_decided(
    cases: Workspace, started: tuple[subprocess.Popen[str], str]
) -> None:
    process, address = started
    for number in range(3):
        answers = ask(address, f"cases?numbers={number}").document()[0]["answers"]  # type: ignore[index]
        decision = {"numbers": [number], "decision": answers[-1]}
        assert ask(address, "decide", document=decision).status == 200
        assert len(decided(cases)) == number + 1
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert len(decided(cases)) == 3
    # The lock died with its process: the next session goes on with what is left.
    left = subprocess.run(
        [str(CURATE), "status", "--workspace", cases.root], check=False, capture_output=True
    )
    assert left.returncode == 0


@pytest.mark.slow
def test_ctrl_c_ends_the_review_well(started: tuple[subprocess.Popen[str], str]) -> None:
    process, address = started
    assert ask(address).status == 200
    process.send_signal(signal.SIGINT)
    results, rest = process.communicate(timeout=30)
    assert process.returncode == 0, rest
    assert "Decisions made: 0" in results


@pytest.mark.slow
def test_the_page_opens_in_the_persons_browser(
    start_command: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, program = tmp_path / "opened", tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > {opened}.part && mv {opened}.part {opened}\n')
    program.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(program))
    _, address = start_command(browser=True)
    for _ in range(200):
        if opened.exists():
            break
        time.sleep(0.1)
    assert opened.read_text().strip() == address
