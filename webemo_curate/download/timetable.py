"""The hosts' turns: a heap of times, and the alarm for the first of them."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from math import inf


class Timetable:
    """Turns of hosts by their time. A turn that has moved is put in again; the old one is stale.

    Parameters
    ----------
    wake : callable
        Called when the alarm goes off.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._turns: list[tuple[float, int, str]] = []
        self._order = itertools.count()
        self._alarm: asyncio.TimerHandle | None = None

    def put(self, moment: float, name: str) -> None:
        """Put a host's turn in."""
        heapq.heappush(self._turns, (moment, next(self._order), name))

    @property
    def first(self) -> float:
        """When the first turn is; infinity if there is none."""
        return self._turns[0][0] if self._turns else inf

    def take(self) -> tuple[float, str]:
        """Take the first turn out: its time and its host."""
        moment, _, name = heapq.heappop(self._turns)
        return moment, name

    def alarm_at(self, moment: float) -> None:
        """Set the one alarm; at infinity, none."""
        if self._alarm and self._alarm.when() == moment:
            return
        if self._alarm:
            self._alarm.cancel()
        loop = asyncio.get_running_loop()
        self._alarm = None if moment == inf else loop.call_at(moment, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._wake()
