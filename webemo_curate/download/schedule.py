"""Schedule the requests: each host has its own queue, so that no host waits for another.

Everything runs on one event loop. A timetable holds the time at which each host may be asked again;
a waiting URL takes an entry in its host's queue, but no task and no slot.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from functools import partial
from math import inf
from typing import ClassVar

from webemo_curate.config import FetchConfig
from webemo_curate.download.asker import Asker
from webemo_curate.download.host_queue import HostQueue
from webemo_curate.download.hosts import Host, KnownHosts, host_of
from webemo_curate.download.limiter import GOOD, NOTHING, HostLimiter, answer_of
from webemo_curate.download.outcome import AttemptError, FetchOutcome, better
from webemo_curate.download.queues import Queues
from webemo_curate.download.room import Room
from webemo_curate.download.rota import Rota, given_up, moment
from webemo_curate.download.steps import Step, Turns
from webemo_curate.download.visit import Visit

ENDED_AT_ONCE = 1000
"""URLs of a given-up host that are ended in a row before other work gets a turn."""

ANNOUNCED_SECONDS = 5.0
ANNOUNCED_URLS = 10
"""A rest is announced from this many seconds on, if at least this many URLs wait."""

logger = logging.getLogger(__name__)


class Schedule(Rota):
    """Brings URLs to their outcomes, as fast as their hosts allow.

    Parameters
    ----------
    config : FetchConfig
        Politeness and limits.
    asker : Asker
        Makes the requests.
    sink : callable
        Receives each outcome.
    draw : random.Random, optional
        Randomizes the waits between attempts.
    room : Room, optional
        Room for bodies, shared with the asker.
    slots : int, optional
        Most requests under way at once; by default as configured.

    Attributes
    ----------
    limiter_type
        Class of the limiter that decides when a host may be asked.
    """

    limiter_type: ClassVar[type[HostLimiter]] = HostLimiter

    def __init__(
        self,
        config: FetchConfig,
        asker: Asker,
        sink: Callable[[FetchOutcome], None],
        draw: random.Random | None = None,
        room: Room | None = None,
        slots: int | None = None,
    ) -> None:
        limiter = partial(self.limiter_type, config.rate, config.concurrency, config.patience)
        super().__init__(
            KnownHosts(limiter), max(slots or config.connections, config.concurrency), room
        )
        self._config, self._asker, self._sink = config, asker, sink
        self._draw = draw or random.Random()  # noqa: S311 - no secret
        self._unopened: deque[Iterator[tuple[str, HostQueue]]] = deque()
        self._held: dict[str, float] = {}
        self._left = 0
        self._giving_up = asyncio.Lock()

    async def run(self, urls: Iterable[str]) -> None:
        """Bring every URL to an outcome, in one pass; call again for another pass.

        A URL is skipped if an earlier pass's `Retry-After` holds it for longer than its own time.

        Parameters
        ----------
        urls : iterable of str
            Distinct URLs, in the order in which each host is to be asked.
        """
        asker, seconds = self._asker, self._config.timeout
        await self.run_queued(Queues.of(urls, asker.target, self._sink, self.held(), seconds))

    async def run_queued(self, queues: Queues) -> None:
        """Do the same for URLs that are sorted by host."""
        self._begin_pass()
        self._line_up(queues)
        await self._until_done()

    def _begin_pass(self) -> None:
        self._done, self._over = asyncio.Event(), False
        self._hosts.renew(moment())

    async def _until_done(self) -> None:
        async with asyncio.TaskGroup() as self._group:
            try:
                self._pump()
                if self._left:
                    await self._done.wait()
            finally:
                self._over = True
                self._turns.alarm_at(inf)
                self._errands.alarm_at(inf)

    def troubles(self) -> list[str]:
        """Say why hosts are slow, those with the most waiting URLs first."""
        now = moment()
        hosts = sorted(filter(len, self._hosts.active.values()), key=len, reverse=True)
        found = [(host.name, host.limiter.trouble(now)) for host in hosts]
        return [f"{name} {trouble}" for name, trouble in found if trouble]

    def held(self) -> dict[str, float]:
        """Return the seconds for which `Retry-After` still holds URLs."""
        now = moment()
        return {url: until - now for url, until in self._held.items() if until > now}

    def _line_up(self, queues: Queues) -> None:
        """Take the hosts' queues, after those that are there."""
        now = moment()
        self._left += len(queues)
        self._unopened.append(queues.hosts())
        for name, visit in queues.held:
            self._wait_at(name, visit, now + visit.spent)
        rest = self._hosts.longest_rest(queues.names(), now)
        if rest >= ANNOUNCED_SECONDS:
            logger.info("hosts whose last answers were failures rest, the last for %.0f s", rest)

    def _open_next(self, now: float) -> bool:
        while self._unopened:
            if found := next(self._unopened[0], None):
                self._open(*found, now)
                return True
            self._unopened.popleft()
        return False

    def _begin_visit(self, host: Host, visit: Visit, now: float) -> None:
        self._start(self._attempt(host, visit, now))

    def _open(self, name: str, urls: HostQueue, now: float) -> None:
        """Open a host's queue once slots are free: most of many hosts are not needed yet."""
        host = self._hosts.of(name, now)
        host.fill(urls)
        if host.limiter.is_hopeless(now):
            self._start(self._give_up(host))
        else:
            self._place(host)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        self._group.create_task(work).add_done_callback(self._end_if_failed)

    def _end_if_failed(self, task: "asyncio.Task[None]") -> None:
        """Begin nothing more once a task has failed: the task group accepts no new tasks then."""
        if task.cancelled() or task.exception() is not None:
            self._over = True

    async def _attempt(self, host: Host, visit: Visit, began: float) -> None:
        """Make one request, then free the slot."""
        turns = Turns(partial(self._turn, host), partial(self._lending, host))
        try:
            step = visit.step or Step(self._asker.target(visit.url))
            answer = await self._asker.ask(step, visit.begin(self._config), turns)
        except AttemptError as error:
            self._failed(host, visit, error, began, turns.waited)
            if host.limiter.is_hopeless(moment()):
                await self._give_up(host)
        else:
            now = moment()
            is_same = isinstance(answer, Step) and answer.hops == step.hops
            host.limiter.end(now, began, NOTHING if is_same else GOOD)
            if isinstance(answer, Step):
                visit.led_on(answer, now - began - turns.waited)
                self._wait_at(host_of(answer.url), visit, now)
            else:
                self._place(host)
                self._unexamined += 1
                self._pump()
                attempts, started = visit.attempts, visit.started
                self._end(visit, await self._asker.accept(visit.url, answer, attempts, started))
                self._unexamined -= 1
        self._under_way -= 1
        self._place(host)
        self._pump()

    def _wait_at(self, name: str, visit: Visit, due: float) -> None:
        """Queue a URL for its next request, or end it if the host was given up."""
        now = moment()
        host = self._hosts.of(name, now)
        if host.limiter.is_hopeless(now):
            self._end(visit, visit.outcome(visit.error or given_up(host.last_error)))
        else:
            host.wait(visit, due)
        self._place(host)

    def _failed(
        self, host: Host, visit: Visit, error: AttemptError, began: float, waited: float
    ) -> None:
        """Queue a URL for another attempt, which starts from the URL itself, or end it."""
        now = moment()
        if not (error.is_silence and visit.spent and host.last_error):
            host.last_error = error  # else it had but the rest of its URL's time
        host.limiter.end(now, began, answer_of(error))
        self._announce(host, now)
        wait = visit.failed(error, max(0.0, now - began - waited), self._config, self._draw)
        if wait is not None:
            self._wait_at(host_of(self._asker.target(visit.url)), visit, now + wait)
            return
        if error.retry_after:
            self._held[visit.url] = now + error.retry_after
        self._end(visit, visit.outcome())

    async def _give_up(self, host: Host) -> None:
        """End all URLs of a host that is down for too long, with the host's last error.

        Hosts may be down by the thousands; they are given up one after the other, so that the loop
        still looks at what arrives from all others. A host has no turn meanwhile; one that answers
        before its URLs are ended keeps them.
        """
        if host.is_given_up:
            return
        host.is_given_up = True
        self._place(host)
        async with self._giving_up:
            while len(host) and host.limiter.is_hopeless(moment()):
                await self._end_all(host)
        host.is_given_up = False
        self._place(host)
        self._pump()

    async def _end_all(self, host: Host) -> None:
        error = host.last_error
        if error:
            logger.info(
                "%s is given up for now: %s; %d URLs not asked for", host.name, error, len(host)
            )
        for errand in host.drain_errands():
            if not errand.done():
                errand.set_exception(given_up(error))
        for number, visit in enumerate(host.drain()):
            self._end(visit, visit.outcome(visit.error or given_up(error)))
            if number % ENDED_AT_ONCE == ENDED_AT_ONCE - 1:
                await asyncio.sleep(0)
        await asyncio.sleep(0)

    def _end(self, visit: Visit, outcome: FetchOutcome) -> None:
        self._sink(better(visit.earlier, outcome))
        self._count_off()

    def _count_off(self) -> None:
        self._left -= 1
        if not self._left:
            self._done.set()

    def _announce(self, host: Host, now: float) -> None:
        """Announce a host's long rest, once a rest."""
        seconds, reason = host.limiter.rest(now)
        if (
            seconds >= ANNOUNCED_SECONDS
            and len(host) >= ANNOUNCED_URLS
            and now >= host.announced_until
        ):
            host.announced_until = now + seconds
            logger.info("%s rests %.0f s: %s; %d URLs wait", host.name, seconds, reason, len(host))
