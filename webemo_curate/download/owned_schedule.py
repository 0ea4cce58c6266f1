"""The schedule of a process that owns some of the hosts; URLs come and go between processes."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from webemo_curate.download.deal import Deal
from webemo_curate.download.hosts import Host
from webemo_curate.download.limiter import GOOD, NOTHING, answer_of
from webemo_curate.download.notes import Handed, TurnEnded, TurnGiven, TurnKey, TurnWanted
from webemo_curate.download.outcome import AttemptError
from webemo_curate.download.queues import Queues
from webemo_curate.download.rota import moment
from webemo_curate.download.schedule import Schedule
from webemo_curate.download.visit import Visit

Turned = TurnWanted | TurnGiven | TurnEnded


class OwnedSchedule(Schedule):
    """Asks the hosts of one process; what concerns others' hosts is told to their owners.

    Parameters
    ----------
    deal : Deal
        Which process owns a host.
    own : int
        Number of this process.
    tell : callable
        Sends a message to the process that it concerns.
    *args, **options
        See `Schedule`.
    """

    def __init__(
        self,
        deal: Deal,
        own: int,
        tell: Callable[[Handed | Turned], None],
        *args: Any,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._deal, self._own, self._tell = deal, own, tell
        self._numbers = itertools.count(time.monotonic_ns())  # unlike a dead predecessor's
        self._asked: dict[TurnKey, asyncio.Future[None]] = {}
        self._lent: dict[TurnKey, tuple[asyncio.Future[TurnEnded], asyncio.Task[None]]] = {}

    async def run_pass(self) -> None:
        """Ask for what is dealt out and handed over, until the pass is closed."""
        self._begin_pass()
        self._left += 1  # the pass itself: others' URLs may lead here until it is closed
        await self._until_done()

    def deal_out(self, queues: Queues) -> None:
        """Take URLs of own hosts."""
        self._line_up(queues)
        self._pump()

    def take_over(self, visit: Visit, name: str, wait: float) -> None:
        """Take a URL whose next request is to an own host, in so many seconds."""
        self._left += 1
        self._wait_at(name, visit, moment() + wait)
        self._pump()

    def close_pass(self) -> None:
        """End the pass, because every URL of every process has its outcome."""
        self._count_off()

    def held_for(self, url: str) -> float:
        """Return the seconds for which `Retry-After` holds a URL; its mark is dropped."""
        until = self._held.pop(url, None)
        return 0.0 if until is None else max(0.0, until - moment())

    def note(self, message: Turned) -> None:
        """Act on a message about a turn."""
        if isinstance(message, TurnWanted):
            ended: asyncio.Future[TurnEnded] = asyncio.get_running_loop().create_future()
            task = self._group.create_task(self._lend(message, ended))
            self._lent[message.key] = ended, task
            task.add_done_callback(lambda _: self._lent.pop(message.key))  # even if never begun
        elif isinstance(message, TurnGiven):
            asked = self._asked.get(message.key)
            if asked and not asked.done():
                asked.set_exception(message.error) if message.error else asked.set_result(None)
        elif message.key in self._lent:
            ended, task = self._lent[message.key]
            if message.answer is None and not ended.done():
                task.cancel()
            elif not ended.done():
                ended.set_result(message)

    def _wait_at(self, name: str, visit: Visit, due: float) -> None:
        if self._deal.owner(name) == self._own:
            super()._wait_at(name, visit, due)
            return
        self._tell(Handed(visit, name, max(0.0, due - moment())))
        self._count_off()

    @asynccontextmanager
    async def _turn_elsewhere(self, name: str) -> AsyncIterator[None]:
        if self._deal.owner(name) == self._own:
            async with super()._turn_elsewhere(name):
                yield
            return
        key = TurnKey(self._own, next(self._numbers))
        ended = TurnEnded(key)
        try:
            await self._given(key, name)
            ended = TurnEnded(key, GOOD)
            yield
        except AttemptError as error:
            ended = TurnEnded(key, answer_of(error), error)
            raise
        finally:
            self._tell(ended)

    async def _given(self, key: TurnKey, name: str) -> None:
        """Wait for a turn of another process's host; meanwhile the slot is free."""
        asked = self._asked[key] = asyncio.get_running_loop().create_future()
        self._tell(TurnWanted(key, name))
        self._under_way -= 1
        self._waiting += 1
        self._pump()
        try:
            await asked
        finally:
            self._under_way += 1
            self._waiting -= 1
            del self._asked[key]

    async def _lend(self, wanted: TurnWanted, ended: "asyncio.Future[TurnEnded]") -> None:
        """Hold a turn at an own host until another process has made its request."""
        self._under_way += 1  # as the request of an own URL, which waits for its turn
        other: Host | None = None
        try:
            other = await self._turn_at(wanted.name)
            began, message = moment(), TurnEnded(wanted.key, NOTHING)
            self._tell(TurnGiven(wanted.key))
            try:
                message = await ended
            finally:
                other.last_error = message.error or other.last_error
                other.limiter.end_errand(moment(), began, message.answer or NOTHING)
                self._place(other)
        except AttemptError as error:
            self._tell(TurnGiven(wanted.key, error))
        except asyncio.CancelledError:
            self._under_way += other is None  # `_turn_at` had given the slot to others
            raise
        finally:
            self._under_way -= 1
            self._pump()
