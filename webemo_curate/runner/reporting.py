"""Reports of a worker, within a partition, that rows are done: bars move with every image."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

TELL_SECONDS = 0.1
"""Between two reports of a worker; a bar is drawn no more often."""


RowT = TypeVar("RowT")


class _Teller:
    """Adds rows up and tells of them now and then."""

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
    """Say that rows of the present batch are done; a worker calls it as it goes.

    Parameters
    ----------
    rows : int, default 1
        How many since it was last called.
    """
    teller = _TELLER.get()
    if teller is not None:
        teller.add(rows)


def counted(rows: Iterable[RowT]) -> Iterator[RowT]:
    """Yield rows, and say that each is done when the next is asked for; see `rows_done`."""
    for row in rows:
        yield row
        rows_done()


@contextmanager
def reporting_to(tell: Callable[[int], None], seconds: float | None = None) -> Iterator[None]:
    """Let `rows_done` be heard while the block runs.

    Parameters
    ----------
    tell : callable
        Given numbers of rows.
    seconds : float, optional
        Between two calls of it, at least; default `TELL_SECONDS`.
    """
    token = _TELLER.set(_Teller(tell, seconds))
    try:
        yield
    finally:
        _TELLER.reset(token)
