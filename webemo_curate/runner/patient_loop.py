"""An event loop whose clock stands still while the loop itself is late.

A time limit says how long others may take to answer. On a loop that is busy for as long, the limit
would pass although the answer is there, only not read yet: what is said of others would depend on
how busy this machine is.
"""

import asyncio
import selectors
import time
from typing import Final

LATE_SECONDS: Final = 0.05
"""Seconds of work between two looks at what has arrived that the clock counts. What goes beyond is
the loop's own delay. A limit of a second so leaves at least twenty looks."""


class _Glances(selectors.DefaultSelector):
    """Waits for files and adds up how late it is asked to, and how late it returns."""

    def __init__(self) -> None:
        super().__init__()
        self._lost, self._looked = 0.0, time.monotonic()

    def now(self) -> float:
        """Return the time without all delays, the present one included."""
        return min(time.monotonic(), self._looked + LATE_SECONDS) - self._lost

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """See `selectors.BaseSelector`."""
        began = time.monotonic()
        self._lost += max(0.0, began - self._looked - LATE_SECONDS)
        found = super().select(timeout)
        self._looked = time.monotonic()
        if timeout is not None:
            due = began + max(0.0, timeout) + LATE_SECONDS
            self._lost += max(0.0, self._looked - due)
        return found


class PatientLoop(asyncio.SelectorEventLoop):
    """Counts time in which it waits or works, but none in which it should have done the other.

    Work counts up to `LATE_SECONDS` between two looks at what has arrived. A wait that ends later
    than it should, because the process was stopped or got no processor, counts up to that much more
    than was asked for. All timers and limits of the loop go by this clock; it never goes back.
    """

    def __init__(self) -> None:
        self._glances = _Glances()
        super().__init__(self._glances)

    def time(self) -> float:
        """Return the time in seconds; only differences mean anything."""
        return self._glances.now()
