"""Which URL is asked for next: a queue a host, so that no host waits for another.

All of it runs on one event loop. Hosts stand in a timetable by the time at which they may be asked
again; a URL that waits costs an entry in its host's queue, no task and no slot.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from functools import partial
from math import inf
from typing import ClassVar

from webemo_curate.config import FetchConfig
from webemo_curate.download.asker import Asker
from webemo_curate.download.hosts import Host, KnownHosts, host_of
from webemo_curate.download.limiter import GOOD, NOTHING, HostLimiter, answer_of
from webemo_curate.download.outcome import AttemptError, FetchOutcome
from webemo_curate.download.steps import Step, Turns
from webemo_curate.download.timetable import Timetable
from webemo_curate.download.visit import Visit

MOST_UNDER_WAY = 256
"""Requests under way at once over all hosts, unless one host alone is allowed more."""

ENDED_AT_ONCE = 1000
"""URLs of a host given up that end before others get their turn."""

ANNOUNCED_SECONDS = 5.0
ANNOUNCED_URLS = 10
"""A rest is announced if it is no shorter and no fewer URLs wait for its end."""

logger = logging.getLogger(__name__)


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
        self._hosts = KnownHosts(
            partial(self.limiter_type, config.rate, config.concurrency, config.patience)
        )
        self._held: dict[str, float] = {}
        self._turns = Timetable(self._pump)
        self._under_way = self._left = self._waiting = 0
        self._over = False

    async def run(self, urls: Iterable[str]) -> None:
        """Bring every URL to its outcome, in one pass; call it again for another.

        A URL that `Retry-After` of an earlier pass holds for longer than its time is left alone.

        Parameters
        ----------
        urls : iterable of str
            Distinct, in the order in which each host is to be asked for them.
        """
        self._done, self._over = asyncio.Event(), False
        self._hosts.renew(_now())
        self._line_up(urls)
        async with asyncio.TaskGroup() as self._group:
            try:
                self._pump()
                if self._left:
                    await self._done.wait()
            finally:
                self._over = True
                self._turns.alarm_at(inf)

    def troubles(self) -> list[str]:
        """Say why hosts that URLs wait for are slow; the most waited for first."""
        now = _now()
        hosts = sorted(filter(len, self._hosts.active.values()), key=len, reverse=True)
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
            if self._turns.first <= now:
                self._begin_next(now)
            elif self._unopened and self._waiting < MOST_UNDER_WAY:
                self._open(self._unopened.pop(), now)
            else:
                break
        self._turns.alarm_at(self._turns.first if self._under_way < self._most else inf)

    def _begin_next(self, now: float) -> None:
        """Take the first turn, and begin a request unless its time has changed."""
        moment, name = self._turns.take()
        host = self._hosts.active.get(name)
        if host is not None and host.at == moment:
            host.at = None
            self._begin(host, now)

    def _open(self, name: str, now: float) -> None:
        """Make a host when no other has a turn: of many, most are not needed at once."""
        host = self._hosts.of(name, now)
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
        """Put a host's next turn into the timetable, or forget a host that nothing waits for."""
        at = host.ready_at()
        if at == inf:
            host.at = None
            if not host.limiter.under_way and not len(host):
                self._hosts.leave(host, _now())
        elif at != host.at:
            host.at = at
            self._turns.put(at, host.name)

    def _begin(self, host: Host, now: float) -> None:
        waiting = host.take(now)
        host.limiter.begin(now)
        self._under_way += 1
        self._place(host)
        if isinstance(waiting, Visit):
            self._start(self._attempt(host, waiting, now))
        elif not waiting.done():
            waiting.set_result(None)
        else:  # nobody needs it any more
            self._under_way -= 1
            host.limiter.end(now, now, NOTHING)
            self._place(host)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        self._group.create_task(work).add_done_callback(self._end_if_failed)

    def _end_if_failed(self, task: "asyncio.Task[None]") -> None:
        """Begin nothing more once a task has failed: the group takes no further ones."""
        if task.cancelled() or task.exception() is not None:
            self._over = True

    async def _attempt(self, host: Host, visit: Visit, began: float) -> None:
        """Make one request; then let others have the slot."""
        turns = Turns(partial(self._turn, host))
        try:
            step = visit.step or Step(self._asker.target(visit.url))
            answer = await self._asker.ask(step, visit.begin(self._config), turns)
        except AttemptError as error:
            self._failed(host, visit, error, began, turns.waited)
            if host.limiter.is_hopeless(_now()):
                await self._give_up(host)
        else:
            now = _now()
            host.limiter.end(now, began, GOOD)
            if isinstance(answer, Step):
                visit.led_on(answer, now - began - turns.waited)
                self._wait_at(host_of(answer.url), visit, now)
            else:
                self._place(host)
                self._pump()
                self._end(
                    await self._asker.accept(visit.url, answer, visit.attempts, visit.started)
                )
        self._under_way -= 1
        self._place(host)
        self._pump()

    def _wait_at(self, name: str, visit: Visit, due: float) -> None:
        """Let a URL wait for its next request, or end it with its host."""
        now = _now()
        host = self._hosts.of(name, now)
        if host.limiter.is_hopeless(now):
            self._end(visit.outcome(visit.error or given_up(host.last_error)))
        else:
            host.wait(visit, due)
        self._place(host)

    @asynccontextmanager
    async def _turn(self, own: Host, url: str) -> AsyncIterator[None]:
        """Last from a turn at a host to the end of what is asked for there.

        Parameters
        ----------
        own : Host
            Which has its turn already: more asked of it makes its next turn come later.
        url : str
            What is to be asked for, such as robots.txt where that of `own` leads.
        """
        name = host_of(url)
        if name == own.name:
            own.limiter.count(_now())
            yield
            return
        other = await self._turn_at(name)
        began, answer = _now(), GOOD
        try:
            yield
        except AttemptError as error:
            other.last_error, answer = error, answer_of(error)
            raise
        finally:
            other.limiter.end(_now(), began, answer)
            self._place(other)
            self._pump()

    async def _turn_at(self, name: str) -> Host:
        """Wait until another host may be asked; who waits gives its slot to others."""
        other = self._hosts.of(name, _now())
        if other.limiter.is_hopeless(_now()):
            raise given_up(other.last_error)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._under_way -= 1
        self._waiting += 1
        other.wait(turn, _now())
        self._place(other)
        self._pump()
        try:
            await turn
        except AttemptError:  # the host was given up
            self._under_way += 1
            raise
        finally:
            self._waiting -= 1
        return other

    def _failed(
        self, host: Host, visit: Visit, error: AttemptError, began: float, waited: float
    ) -> None:
        """Let a URL wait for another attempt, which begins anew, or end it."""
        now = _now()
        host.last_error = error
        host.limiter.end(now, began, answer_of(error))
        self._announce(host, now)
        wait = visit.failed(error, max(0.0, now - began - waited), self._config, self._draw)
        if wait is not None:
            self._wait_at(host_of(self._asker.target(visit.url)), visit, now + wait)
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
        for number, waiting in enumerate(host.drain()):
            if isinstance(waiting, Visit):
                self._end(waiting.outcome(waiting.error or given_up(error)))
            elif not waiting.done():
                waiting.set_exception(given_up(error))
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


def given_up(error: AttemptError | None) -> AttemptError:
    """Return what a URL ends as whose host was given up before it was asked for."""
    if error is None:
        raise ValueError("a host is given up by an answer alone")
    return AttemptError(error.status, f"host given up: {error}", error.http_status)


def _now() -> float:
    return asyncio.get_running_loop().time()
