"""Which URL is asked for next: a queue a host, so that no host waits for another.

All of it runs on one event loop. Hosts stand in a heap by the time at which they may be asked
again; a URL that waits costs an entry in its host's queue, no task and no slot.
"""

import asyncio
import heapq
import itertools
import logging
import random
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from typing import ClassVar, Protocol

from webemo_curate.config import FetchConfig
from webemo_curate.download.hosts import Host, host_of
from webemo_curate.download.limiter import GOOD, HostLimiter, answer_of
from webemo_curate.download.outcome import AttemptError, Body, FetchOutcome
from webemo_curate.download.visit import Visit

MOST_UNDER_WAY = 256
"""Requests under way at once over all hosts, unless one host alone is allowed more."""

ENDED_AT_ONCE = 1000
"""URLs of a host given up that end before others get their turn."""

ANNOUNCED_SECONDS = 5.0
ANNOUNCED_URLS = 10
"""A rest is announced if it is no shorter and no fewer URLs wait for its end."""

logger = logging.getLogger(__name__)


class Asker(Protocol):
    """Makes requests: `client.Downloader`, or a simulated web."""

    def target(self, url: str) -> str:
        """Return the URL that is asked for in place of a listed one; raises `AttemptError`."""

    async def ask(self, target: str, seconds: float) -> Body:
        """Make one attempt within so many seconds; raises `AttemptError`."""

    async def accept(self, url: str, body: Body, attempts: int, started: datetime) -> FetchOutcome:
        """Judge and keep a body."""


class Schedule:
    """Brings URLs to their outcomes, as fast as their hosts bear.

    Parameters
    ----------
    config : FetchConfig
        Politeness and bounds.
    asker : Asker
        Makes the requests.
    sink : callable
        Gets each outcome as it comes.
    draw : random.Random, optional
        Spreads the waits between attempts.

    Attributes
    ----------
    limiter_type
        Decides when a host is asked.
    """

    limiter_type: ClassVar[type[HostLimiter]] = HostLimiter

    def __init__(
        self,
        config: FetchConfig,
        asker: Asker,
        sink: Callable[[FetchOutcome], None],
        draw: random.Random | None = None,
    ) -> None:
        self._config, self._asker, self._sink = config, asker, sink
        self._draw = draw or random.Random()  # noqa: S311 - no secret
        self._most = max(MOST_UNDER_WAY, config.concurrency)
        self._queues: dict[str, list[str]] = {}
        self._unopened: list[str] = []
        self._hosts: dict[str, Host] = {}
        self._troubled: dict[str, Host] = {}
        self._held: dict[str, float] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._order = itertools.count()
        self._under_way = self._left = 0
        self._over = False
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, urls: Iterable[str]) -> None:
        """Bring every URL to its outcome, in one pass; call it again for another.

        A URL that `Retry-After` of an earlier pass holds for longer than its time is left alone.

        Parameters
        ----------
        urls : iterable of str
            Distinct, in the order in which each host is to be asked for them.
        """
        self._done, self._over = asyncio.Event(), False
        for host in self._troubled.values():
            host.limiter.renew(_now())
        self._line_up(urls)
        async with asyncio.TaskGroup() as self._group:
            try:
                self._pump()
                if self._left:
                    await self._done.wait()
            finally:
                self._over = True
                self._wake_at(None)

    def troubles(self) -> list[str]:
        """Say why hosts that URLs wait for are slow; the most waited for first."""
        now = _now()
        hosts = sorted(filter(len, self._hosts.values()), key=len, reverse=True)
        found = [(host.name, host.limiter.trouble(now)) for host in hosts]
        return [f"{name} {trouble}" for name, trouble in found if trouble]

    def held(self) -> list[float]:
        """Return the seconds for which URLs are still held by `Retry-After`."""
        now = _now()
        return sorted(moment - now for moment in self._held.values() if moment > now)

    def _line_up(self, urls: Iterable[str]) -> None:
        """Sort URLs into queues, a host each."""
        now = _now()
        for url in urls:
            if self._held.get(url, now) - now >= self._config.timeout:
                continue
            try:
                name = host_of(self._asker.target(url))
            except AttemptError as error:
                self._sink(Visit(url).outcome(error))
                continue
            self._queues.setdefault(name, []).append(url)
            self._left += 1
        # The host with the most URLs takes longest, so it begins first.
        self._unopened = sorted(self._queues, key=lambda name: len(self._queues[name]))

    def _pump(self) -> None:
        """Begin what is due, unless the run ends; wake up when the next is."""
        if self._over:
            return
        now = _now()
        while self._under_way < self._most:
            if self._heap and self._heap[0][0] <= now:
                self._begin_next(now)
            elif self._unopened:
                self._open(self._unopened.pop(), now)
            else:
                break
        may_begin = self._heap and self._under_way < self._most
        self._wake_at(self._heap[0][0] if may_begin else None)

    def _begin_next(self, now: float) -> None:
        """Take the first entry of the heap, and begin a request unless its time has changed."""
        moment, _, name = heapq.heappop(self._heap)
        host = self._hosts.get(name)
        if host is not None and host.at == moment:
            host.at = None
            self._begin(host, now)

    def _open(self, name: str, now: float) -> None:
        """Make a host when no other has a turn: of many, most are not needed at once."""
        host = self._troubled.pop(name, None)
        if host is None:  # an empty one is false
            config = self._config
            limiter = self.limiter_type(config.rate, config.concurrency, config.patience, now)
            host = Host(name, limiter)
        host.at = None
        self._hosts[name] = host
        urls = self._queues.pop(name)
        held = {url: self._held[url] for url in urls if self._held.get(url, now) > now}
        host.fill([url for url in urls if url not in held])
        for url, due in held.items():
            visit = Visit(url)
            visit.spent = due - now
            host.wait(visit, due)
        if host.limiter.is_hopeless(now):
            self._start(self._give_up(host))
        else:
            self._place(host)

    def _place(self, host: Host) -> None:
        """Put a host's next turn into the heap, or forget a host that nothing waits for."""
        at = host.ready_at()
        if at == float("inf"):
            host.at = None
            if not host.limiter.under_way and not len(host):
                self._hosts.pop(host.name, None)
                if not host.limiter.is_well(_now()):
                    self._troubled[host.name] = host
        elif at != host.at:
            host.at = at
            self._push(at, host.name)

    def _push(self, moment: float, name: str) -> None:
        heapq.heappush(self._heap, (moment, next(self._order), name))

    def _begin(self, host: Host, now: float) -> None:
        visit = host.take(now)
        host.limiter.begin(now)
        self._under_way += 1
        self._place(host)
        self._start(self._attempt(host, visit, now))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        self._group.create_task(work).add_done_callback(self._end_if_failed)

    def _end_if_failed(self, task: "asyncio.Task[None]") -> None:
        """Begin nothing more once a task has failed: the group takes no further ones."""
        if task.cancelled() or task.exception() is not None:
            self._over = True

    async def _attempt(self, host: Host, visit: Visit, began: float) -> None:
        """Make one attempt; then let others have the slot."""
        try:
            target = self._asker.target(visit.url)
            body = await self._asker.ask(target, visit.begin(self._config))
        except AttemptError as error:
            self._failed(host, visit, error, began)
            if host.limiter.is_hopeless(_now()):
                await self._give_up(host)
        else:
            host.limiter.end(_now(), began, GOOD)
            self._place(host)
            self._pump()
            self._end(await self._asker.accept(visit.url, body, visit.attempts, visit.started))
        self._under_way -= 1
        self._place(host)
        self._pump()

    def _failed(self, host: Host, visit: Visit, error: AttemptError, began: float) -> None:
        """Let a URL wait for another attempt, or end it."""
        now = _now()
        host.last_error = error
        host.limiter.end(now, began, answer_of(error))
        self._announce(host, now)
        wait = visit.failed(error, now - began, self._config, self._draw)
        if wait is not None:
            host.wait(visit, now + wait)
            return
        if error.retry_after:
            self._held[visit.url] = now + error.retry_after
        self._end(visit.outcome())

    async def _give_up(self, host: Host) -> None:
        """End all URLs of a host that is down for too long: as what it answered last."""
        error = host.last_error
        if len(host) and error:
            logger.info(
                "%s is given up for now: %s; %d URLs not asked for", host.name, error, len(host)
            )
        for number, visit in enumerate(host.drain()):
            self._end(visit.outcome(visit.error or given_up(error)))
            if number % ENDED_AT_ONCE == ENDED_AT_ONCE - 1:
                await asyncio.sleep(0)
        self._place(host)

    def _end(self, outcome: FetchOutcome) -> None:
        self._sink(outcome)
        self._left -= 1
        if not self._left:
            self._done.set()

    def _announce(self, host: Host, now: float) -> None:
        """Say that a host rests for long, once a rest."""
        seconds, reason = host.limiter.rest(now)
        if (
            seconds >= ANNOUNCED_SECONDS
            and len(host) >= ANNOUNCED_URLS
            and now >= host.announced_until
        ):
            host.announced_until = now + seconds
            logger.info("%s rests %.0f s: %s; %d URLs wait", host.name, seconds, reason, len(host))

    def _wake_at(self, moment: float | None) -> None:
        if self._timer and self._timer.when() == moment:
            return
        if self._timer:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = None if moment is None else loop.call_at(moment, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._pump()


def given_up(error: AttemptError | None) -> AttemptError:
    """Return what a URL ends as whose host was given up before it was asked for."""
    if error is None:
        raise ValueError("a host is given up by an answer alone")
    return AttemptError(error.status, f"host given up: {error}", error.http_status)


def _now() -> float:
    return asyncio.get_running_loop().time()
