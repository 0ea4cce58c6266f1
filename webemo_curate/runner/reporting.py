"""Report finished rows of a partition, so that progress bars move with every image."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

TELL_SECONDS = 0.1
"""Seconds between two reports of a worker; a bar is not redrawn more often."""


RowT = TypeVar("RowT")


class _Teller:
    """Adds up rows and reports them periodically."""

    def __init__(self, tell: Callable[[int], None], seconds: float | None) -> None:
        self._tell, self._seconds = tell, seconds
        self._rows, self._told = 0, time.monotonic()

    def add(self, rows: int) -> None:
        self._rows += rows
        now = time.monotonic()
        if now - self._told >= (TELL_SECONDS if self._seconds is None else self._seconds):
            self._tell(self._rows)
            self._rows, self._told = 0, now


_TELLER: ContextVar[_Teller | None] = ContextVar("whom this process tells of rows", default=None)


def rows_done(rows: int = 1) -> None:
    """Report finished rows of the present batch; called by a worker during its work.

    Parameters
    ----------
    rows : int, default 1
        Number of rows since the last call.
    """
    teller = _TELLER.get()
    if teller is not None:
        teller.add(rows)


def counted(rows: Iterable[RowT]) -> Iterator[RowT]:
    """Yield rows, and report each as done when the next is requested; see `rows_done`."""
    for row in rows:
        yield row
        rows_done()


@contextmanager
def reporting_to(tell: Callable[[int], None], seconds: float | None = None) -> Iterator[None]:
    """Pass the reports of `rows_done` on while the block runs.

    Parameters
    ----------
    tell : callable
        Called with numbers of rows.
    seconds : float, optional
        Least seconds between two calls; by default `TELL_SECONDS`.
    """
    token = _TELLER.set(_Teller(tell, seconds))
    try:
        yield
    finally:
        _TELLER.reset(token)
