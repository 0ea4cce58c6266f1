"""A heap of the hosts' next turns, with an alarm for the first."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from math import inf


class Timetable:
    """The hosts' turns by time. A turn that moves is added again; the old entry is then stale.

    A host has one turn or none.

    Parameters
    ----------
    wake : callable
        Called when the alarm goes off.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._turns: list[tuple[float, int, str]] = []
        self._due: dict[str, float] = {}
        self._order = itertools.count()
        self._alarm: asyncio.TimerHandle | None = None

    def put(self, moment: float, name: str) -> None:
        """Set the time of a host's turn; infinity takes it away."""
        if self._due.get(name, inf) == moment:
            return
        if moment == inf:
            del self._due[name]
            return
        self._due[name] = moment
        heapq.heappush(self._turns, (moment, next(self._order), name))

    @property
    def first(self) -> float:
        """Time of the first turn; infinity if there is none."""
        turns = self._turns
        while turns and self._due.get(turns[0][2]) != turns[0][0]:
            heapq.heappop(turns)
        return turns[0][0] if turns else inf

    def take(self) -> str:
        """Remove the first turn, whose time `first` tells; return its host."""
        name = heapq.heappop(self._turns)[2]
        del self._due[name]
        return name

    def alarm_at(self, moment: float) -> None:
        """Set the alarm, which replaces the last one; infinity sets none."""
        if self._alarm and self._alarm.when() == moment:
            return
        if self._alarm:
            self._alarm.cancel()
        loop = asyncio.get_running_loop()
        self._alarm = None if moment == inf else loop.call_at(moment, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._wake()
