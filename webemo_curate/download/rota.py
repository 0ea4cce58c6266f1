"""Give hosts their turns, and wake what waits for a turn."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from math import inf

from webemo_curate.download.hosts import Errand, Host, KnownHosts, host_of
from webemo_curate.download.limiter import GOOD, NOTHING, answer_of
from webemo_curate.download.outcome import AttemptError
from webemo_curate.download.room import Room
from webemo_curate.download.timetable import Timetable
from webemo_curate.download.visit import Visit

MAX_UNEXAMINED = 32
"""Most bodies that wait to be examined and stored; a run that is stopped must request them
again."""


class Rota(ABC):
    """Gives hosts their turns, within a total number of slots.

    Errands need no slot of the total: URLs that wait for them may hold them all.

    Parameters
    ----------
    hosts : KnownHosts
        The hosts that have queued URLs.
    slots : int
        Most requests under way at once.
    room : Room, optional
        Room for the bodies; no request begins while it is not open.
    """

    def __init__(self, hosts: KnownHosts, slots: int, room: Room | None = None) -> None:
        self._hosts, self._slots, self._room = hosts, slots, room or Room()
        self._turns, self._errands = Timetable(self._pump), Timetable(self._pump)
        self._under_way = self._waiting = self._unexamined = 0
        self._over = False

    @abstractmethod
    def _begin_visit(self, host: Host, visit: Visit, now: float) -> None:
        """Begin the request of a URL whose turn has come."""

    @abstractmethod
    def _open_next(self, now: float) -> bool:
        """Add one more host to the timetable; return False if no host is left."""

    def _pump(self) -> None:
        """Begin all requests that are due, unless the run is ending; set the alarm for the next."""
        if self._over:
            return
        now = moment()
        while self._errands.first <= now:
            self._grant(self._hosts.active[self._errands.take()], now)
        while self._has_room():
            if self._turns.first <= now:
                self._begin(self._hosts.active[self._turns.take()], now)
            elif self._waiting >= self._slots or not self._open_next(now):
                break
        self._turns.alarm_at(self._turns.first if self._has_room() else inf)
        self._errands.alarm_at(self._errands.first)

    def _has_room(self) -> bool:
        if self._under_way >= self._slots or self._unexamined >= MAX_UNEXAMINED:
            return False
        return self._room.is_open

    def _place(self, host: Host) -> None:
        """Put a host's next turns into the timetables, or release a host without queued URLs."""
        self._turns.put(host.ready_at(), host.name)
        self._errands.put(host.errand_at(), host.name)
        if not host.limiter.under_way and not len(host):
            self._hosts.leave(host, moment())

    def _begin(self, host: Host, now: float) -> None:
        visit = host.take(now)
        host.limiter.begin(now)
        self._under_way += 1
        self._place(host)
        self._begin_visit(host, visit, now)

    def _grant(self, host: Host, now: float) -> None:
        errand = host.take_errand()
        host.limiter.begin_errand(now)
        self._under_way += 1
        self._place(host)
        if errand.done():  # nobody waits for it any more
            self._return(host)
        else:
            errand.set_result(None)

    def _return(self, host: Host) -> None:
        """Give the turn of an errand back, because no request was made."""
        self._under_way -= 1
        host.limiter.end_errand(moment(), moment(), NOTHING)
        self._place(host)

    @contextmanager
    def _lending(self, own: Host) -> Iterator[None]:
        """Lend the slot of a URL to errands while the block waits."""
        self._count_lent(own, 1)
        try:
            yield
        finally:
            self._count_lent(own, -1)

    def _count_lent(self, own: Host, slots: int) -> None:
        own.limiter.lent += slots
        self._place(own)
        self._pump()

    @asynccontextmanager
    async def _turn(self, own: Host, url: str) -> AsyncIterator[None]:
        """Hold a turn at the host of `url` while the block runs.

        Parameters
        ----------
        own : Host
            The host whose turn it already is; a further request to it delays its next turn.
        url : str
            What will be requested, such as robots.txt at the end of a redirect from `own`.
        """
        name = host_of(url)
        if name == own.name:
            own.limiter.count(moment())
            self._count_lent(own, -1)  # one of those that wait for this request has its slot
            try:
                yield
            finally:
                self._count_lent(own, 1)
            return
        async with self._turn_elsewhere(name):
            yield

    @asynccontextmanager
    async def _turn_elsewhere(self, name: str) -> AsyncIterator[None]:
        """Hold a turn at a host that is not the URL's own while the block runs."""
        other = await self._turn_at(name)
        began, answer = moment(), GOOD
        try:
            yield
        except AttemptError as error:
            other.last_error, answer = error, answer_of(error)
            raise
        finally:
            other.limiter.end_errand(moment(), began, answer)
            self._place(other)
            self._pump()

    async def _turn_at(self, name: str) -> Host:
        """Wait for a turn at another host; meanwhile the slot is free for other requests."""
        other = self._hosts.of(name, moment())
        if other.limiter.is_hopeless(moment()):
            self._place(other)
            raise given_up(other.last_error)
        turn: Errand = asyncio.get_running_loop().create_future()
        self._under_way -= 1
        self._waiting += 1
        other.send(turn)
        self._place(other)
        self._pump()
        try:
            await turn
        except AttemptError:  # the host was given up
            self._under_way += 1
            raise
        except asyncio.CancelledError:
            if not turn.cancelled():  # the turn had come
                self._return(other)
            raise
        finally:
            self._waiting -= 1
        return other


def given_up(error: AttemptError | None) -> AttemptError:
    """Return the failure of a URL whose host was given up before the URL was requested."""
    if error is None:
        raise ValueError("a host is given up by an answer alone")
    return AttemptError(error.status, f"host given up: {error}", error.http_status)


def moment() -> float:
    """Return the time of the running event loop's clock."""
    return asyncio.get_running_loop().time()
