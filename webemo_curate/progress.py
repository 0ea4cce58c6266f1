"""Show the progress of long work: a bar on a terminal, occasional lines in a log."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, Self

from tqdm import tqdm

logger = logging.getLogger(__name__)

SHOW_AFTER_SECONDS: Final = 2.0
FIRST_LINE_SECONDS: Final = 30.0
"""Seconds before the first line in a log, and at least between two lines."""

LINE_GROWTH: Final = 1.1
"""Factor on the work's time from one log line to the next, so that a night's log stays short."""

FORM: Final = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{rate_fmt}, {remaining} left{postfix}]"
"""Short enough for a terminal of 80 columns; the time left is that of the whole command."""

_AHEAD: ContextVar[float] = ContextVar("seconds of the command's later work", default=0.0)


class ProgressBar:
    """Counts finished units of work; a context manager.

    Parameters
    ----------
    total : int
        Total number of units.
    label : str
        Name of the work.
    unit : str
        Name of a unit.
    done : int, default 0
        Units that an earlier, interrupted run finished.
    further : int, default 0
        Units of the same kind that the command will process after these.
    shown : bool, default True
        Whether this process, of several, shows progress.
    clock : callable, default time.monotonic
        Returns seconds.
    """

    def __init__(
        self,
        total: int,
        label: str,
        unit: str,
        done: int = 0,
        further: int = 0,
        *,
        shown: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total, self.label, self.unit = total, label, unit
        self.done, self._before, self._further, self._clock = done, done, further, clock
        self._ahead, self._begun = _AHEAD.get(), clock()
        self._note = ""
        self._next_line = FIRST_LINE_SECONDS
        shown = shown and logger.isEnabledFor(logging.INFO)
        self._bar = self._drawn() if shown and sys.stderr.isatty() else None
        self._logs = shown and self._bar is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    @property
    def disable(self) -> bool:
        """Whether notes are not shown."""
        return self._bar is None

    def update(self, units: int = 1) -> None:
        """Count finished units; a negative number if some must be done again."""
        self.done += units
        if self._bar is not None:
            self._bar.set_postfix_str(self._said(), refresh=False)
            self._bar.update(units)
        elif self._logs and self._seconds() >= self._next_line:
            self._next_line = max(
                self._seconds() * LINE_GROWTH, self._seconds() + FIRST_LINE_SECONDS
            )
            logger.info("%s", self.line())

    def rename(self, label: str) -> None:
        """Change the name of the work."""
        self.label = label
        if self._bar is not None:
            self._bar.set_description(label)

    def set_postfix_str(self, note: str) -> None:
        """Redraw the bar with a note at its end."""
        self._note = note
        if self._bar is not None:
            self._bar.set_postfix_str(self._said())

    def seconds_left(self) -> float | None:
        """Return how long the command will still take; None before any unit is done."""
        made = self.done - self._before
        if made <= 0:
            return None
        left = self.total - self.done + self._further
        return left * self._seconds() / made + self._ahead

    def line(self) -> str:
        """Describe the progress in one line: units, rate, time left of the whole command."""
        made, seconds = self.done - self._before, self._seconds()
        rate = f", {made / seconds:.1f} a second" if made > 0 and seconds else ""
        left = self.seconds_left()
        until = "" if left is None else f", about {in_words(left)} left"
        return (
            f"{self.label}: {self.done:,} of {self.total:,} {self.unit}s "
            f"({self.done / max(1, self.total):.0%}){rate}{until}"
        )

    def _said(self) -> str:
        """Return the text after the bar: the time left if more work follows, and the note."""
        left = self.seconds_left() if self._ahead or self._further else None
        whole = "" if left is None else f"in all {in_words(left)}"
        return ", ".join(part for part in (whole, self._note) if part)

    def _seconds(self) -> float:
        return self._clock() - self._begun

    def _drawn(self) -> "tqdm[Any]":
        bar: tqdm[Any] = tqdm(
            total=self.total,
            desc=self.label,
            unit=self.unit,
            initial=self.done,
            delay=SHOW_AFTER_SECONDS,
            dynamic_ncols=True,
            bar_format=FORM,
            leave=False,
        )
        return bar


@contextmanager
def work_ahead(seconds: float) -> Iterator[None]:
    """Tell progress bars made in the block how much work the command will do after them.

    Parameters
    ----------
    seconds : float
        Approximate time of that work.
    """
    token = _AHEAD.set(seconds)
    try:
        yield
    finally:
        _AHEAD.reset(token)


def in_words(seconds: float) -> str:
    """Format a duration for people: `40 s`, `12 min`, `3 h 20 min`."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
