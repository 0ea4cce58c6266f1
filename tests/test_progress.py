"""How far long work is said to be: on a terminal, in a log, with `-q`."""

import io
import logging

import pytest

from webemo_curate import progress
from webemo_curate.progress import FIRST_LINE_SECONDS, ProgressBar, in_words, work_ahead


class Terminal(io.StringIO):
    """Keeps what is drawn on it."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Stands still until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Terminal:
    """Give a terminal, on which a bar is drawn at once."""
    caplog.set_level(logging.INFO, "webemo_curate")
    monkeypatch.setattr(progress, "SHOW_AFTER_SECONDS", 0)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("LINES", "50")
    return Terminal()


def test_a_log_gets_a_line_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "webemo_curate")
    clock = Clock()
    with ProgressBar(7200, "ocr", "image", clock=clock) as bar:
        for second in range(7200):
            clock.now = float(second)
            bar.update()
    first, *rest = caplog.messages
    assert first == "ocr: 31 of 7,200 images (0%), 1.0 a second, about 1 h 56 min left"
    assert 20 < len(rest) < 60, "neither silence nor noise"


def test_nothing_is_said_of_short_work(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "webemo_curate")
    clock = Clock()
    with ProgressBar(2, "ocr", "image", clock=clock) as bar:
        clock.now = FIRST_LINE_SECONDS - 1
        bar.update()
    assert not caplog.messages


def test_time_left_is_that_of_the_whole_command(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr", terminal)  # here: pytest sets its own after fixtures
    clock = Clock()
    with work_ahead(600), ProgressBar(100, "images", "row", clock=clock) as bar:
        clock.now = 10.0
        bar.update(50)
        assert bar.seconds_left() == 610
        bar.set_postfix_str("2 slow hosts")
    assert "left, in all 10 min, 2 slow hosts" in terminal.getvalue()


def test_seeds_to_come_count_at_the_rate_of_this_one() -> None:
    clock = Clock()
    with ProgressBar(100, "train", "image", done=50, further=300, clock=clock) as bar:
        clock.now = 10.0
        bar.update(10)
        assert bar.seconds_left() == 340


def test_quiet_draws_nothing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sys.stderr", terminal)
    caplog.set_level(logging.WARNING, "webemo_curate")
    with ProgressBar(2, "images", "row") as bar:
        bar.update()
    assert terminal.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(40, "40 s"), (600, "10 min"), (5400, "1 h 30 min"), (86400, "24 h 00 min")],
)
def test_times_are_said_as_people_do(seconds: float, said: str) -> None:
    assert in_words(seconds) == said
