"""Storms over simulated hosts, and those who ask them: one schedule, or owners of hosts."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from benchmarks.simulated_hosts import Web, pass_time, run_at_once
from webemo_curate.config import FetchConfig
from webemo_curate.download.deal import Deal
from webemo_curate.download.hosts import host_of
from webemo_curate.download.notes import Handed
from webemo_curate.download.outcome import RETRIED, AttemptError, Body, FetchOutcome
from webemo_curate.download.owned_schedule import OwnedSchedule
from webemo_curate.download.pace import BURST_SECONDS
from webemo_curate.download.queues import Queues
from webemo_curate.download.rota import Rota
from webemo_curate.download.schedule import Schedule
from webemo_curate.download.steps import Step, Turns
from webemo_curate.download.turn_desk import TurnDesk
from webemo_curate.download.visit import Visit
from webemo_curate.verdicts import FetchStatus

TIMEOUT = FetchConfig().timeout
OWN = 1
"""Requests that a URL's own errand at its own host may come early: they delay what follows."""

REDIRECTS = 3
"""Most that a URL is led on in these tests."""

Deaths = list[tuple[float, int]]


@dataclass
class Storm(Web):
    """Answers by turns, a mood after the other; some requests need another one elsewhere first."""

    moods: list[tuple[FetchStatus, float | None]] = field(
        default_factory=lambda: [(FetchStatus.OK, None)]
    )
    errand: dict[str, str] = field(default_factory=dict)
    under_way: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    begun: dict[str, list[float]] = field(default_factory=dict)
    count: int = 0

    async def ask(self, step: Step, seconds: float, turns: Turns) -> Any:
        if step.url in self.errand and not step.has_waited:
            with turns.waiting():
                async with turns.turn(self.errand[step.url]):
                    await self._answer(self.errand[step.url], seconds)
            return replace(step, has_waited=True)
        await self._answer(step.url, seconds)
        leads = self.redirects.get(step.url)
        if leads and step.hops < REDIRECTS:
            return Step(leads, step.hops + 1)
        return Body(b"", 200, None, "")

    async def _answer(self, url: str, seconds: float) -> None:
        host = host_of(url)
        self.under_way[host] += 1
        self.most[host] = max(self.most[host], self.under_way[host])
        self.begun.setdefault(host, []).append(asyncio.get_running_loop().time())
        self.count += 1
        status, after = self.moods[self.count % len(self.moods)]
        try:
            await asyncio.sleep(min(self.latency, seconds))
        finally:
            self.under_way[host] -= 1
        if status is not FetchStatus.OK:
            raise AttemptError(status, status, 500, after if status in RETRIED else None)


class Owners:
    """Schedules that own hosts each, as the processes of a fetch do, on one event loop.

    Parameters
    ----------
    count : int
        How many.
    make : callable
        Makes one, from its class with what it needs besides, and from its sink.
    sink : callable
        Receives each outcome.
    deaths : list of (float, int)
        After how many seconds of a pass which of them dies.
    """

    def __init__(
        self, count: int, make: Any, sink: Callable[[FetchOutcome], None], deaths: Deaths
    ) -> None:
        self._deal = Deal(count, {f"h{number}.example": number % count for number in range(3)})
        self._make, self._sink, self._deaths = make, sink, deaths
        self._desk = TurnDesk(self._deal, lambda own, turn: self._tell(own, "note", turn))
        self._all = [self._new(own) for own in range(count)]
        self._passes: list[asyncio.Task[None]] = []
        self._dead: list[OwnedSchedule] = []
        self._where: dict[str, int] = {}
        self._held: dict[str, float] = {}

    @property
    def rotas(self) -> list[Rota]:
        return [*self._all]

    def held(self) -> dict[str, float]:
        now = asyncio.get_running_loop().time()
        return {url: until - now for url, until in self._held.items() if until > now}

    async def run(self, urls: list[str]) -> None:
        held, self._done = self.held(), asyncio.Event()
        due = [url for url in urls if held.get(url, 0) < TIMEOUT]
        self._where = {url: self._deal.owner(host_of(url)) for url in due}
        self._passes = [asyncio.create_task(schedule.run_pass()) for schedule in self._all]
        for own in range(len(self._all)):
            mine = [url for url in due if self._where[url] == own]
            self._tell(own, "deal_out", Queues.of(mine, str, self._sink, held, TIMEOUT))
        dying = [asyncio.create_task(self._die(*death)) for death in self._deaths]
        while self._where:
            await self._done.wait()
        for task in dying:
            task.cancel()
        for _ in range(2):
            await asyncio.sleep(0)  # one that died just now is replaced, and has begun
        assert not any(task.done() for task in self._passes)
        for schedule in self._all:
            schedule.close_pass()
        await asyncio.gather(*self._passes)
        assert not any(schedule._asked or schedule._lent for schedule in self._all)

    def _new(self, own: int) -> OwnedSchedule:
        def say(message: Any) -> None:
            if schedule not in self._dead:
                asyncio.get_running_loop().call_soon(self._pass_on, message)

        def end(outcome: FetchOutcome) -> None:
            if schedule not in self._dead and outcome.url in self._where:
                self._note(outcome, schedule.held_for(outcome.url))

        schedule: OwnedSchedule
        schedule = self._make(partial(OwnedSchedule, self._deal, own, say), end)
        return schedule

    def _note(self, outcome: FetchOutcome, wait: float) -> None:
        if wait:
            self._held[outcome.url] = asyncio.get_running_loop().time() + wait
        del self._where[outcome.url]
        self._sink(outcome)
        if not self._where:
            self._done.set()

    def _tell(self, own: int, what: str, *said: Any) -> None:
        asyncio.get_running_loop().call_soon(self._hear, self._all[own], what, *said)

    def _hear(self, schedule: OwnedSchedule, what: str, *said: Any) -> None:
        if schedule not in self._dead:  # else it has died with what it was told
            getattr(schedule, what)(*said)

    def _pass_on(self, message: Any) -> None:
        if isinstance(message, Handed):
            owner = self._deal.owner(message.name)
            if message.visit.url in self._where:
                self._where[message.visit.url] = owner
            self._tell(owner, "take_over", message.visit, message.name, message.wait)
        else:
            self._desk.pass_on(message)

    async def _die(self, seconds: float, own: int) -> None:
        await asyncio.sleep(seconds)
        own %= len(self._all)
        if self._all[own] in self._dead:
            return
        self._passes[own].cancel()
        self._dead.append(self._all[own])
        asyncio.get_running_loop().call_soon(self._replace, own)  # after all that it said

    def _replace(self, own: int) -> None:
        """Deal out again what was with a dead owner; see `fleet.Fleet`."""
        self._all[own] = self._new(own)
        self._passes[own] = asyncio.create_task(self._all[own].run_pass())
        lost = [url for url, process in self._where.items() if process == own]
        home = {url: self._deal.owner(host_of(url)) for url in lost}
        self._where.update(home)
        mine = [url for url in lost if home[url] == own]
        self._tell(own, "deal_out", Queues.of(mine, str, self._sink, {}, TIMEOUT))
        for url in lost:
            if home[url] != own:
                self._tell(home[url], "take_over", Visit(url), host_of(url), 0.0)
        self._desk.replaced(own)


@dataclass
class Weather:
    """A storm over some hosts, and those who ask them: one schedule, or owners of hosts."""

    web: Storm
    hosts: int = 2
    urls: int = 4
    config: FetchConfig = field(default_factory=lambda: FetchConfig(rate=1.0, concurrency=1))
    pause: float = 0.0
    deaths: Deaths = field(default_factory=list)
    owners: int = 0
    slots: int = 1

    def run(self) -> None:
        """Fetch all URLs in two passes; each ends once a pass, and nothing is left."""
        run_at_once(self._run())
        if not self.deaths:
            assert all(most <= self.config.concurrency + 1 for most in self.web.most.values())
        if not self.deaths and not self.pause:
            assert all(map(self._is_paced, self.web.begun.values()))

    def _is_paced(self, begun: list[float]) -> bool:
        """Return whether a host was asked at its rate, but for turns made up for."""
        rate = self.config.rate
        ahead = [number - moment * rate for number, moment in enumerate(sorted(begun))]
        lowest = itertools.accumulate(ahead, min)
        made_up = max(1.0, BURST_SECONDS * rate)
        return all(now - low <= made_up + OWN for now, low in zip(ahead, lowest, strict=True))

    async def _run(self) -> None:
        listed = [f"http://h{n % self.hosts}.example/{n}" for n in range(self.urls)]
        ended = Counter[str]()

        def sink(outcome: FetchOutcome) -> None:
            ended[outcome.url] += 1
            pass_time(self.pause)

        schedule = self._schedule(sink)
        for _ in range(2):
            held = {url for url, wait in schedule.held().items() if wait >= TIMEOUT}
            expected = ended + Counter(url for url in listed if url not in held)
            await schedule.run(listed)
            assert ended == expected
            for rota in schedule.rotas if isinstance(schedule, Owners) else [schedule]:
                assert not rota._hosts.active, "nothing is forgotten in a queue"
                assert rota._under_way == rota._waiting == rota._unexamined == 0

    def _schedule(self, sink: Callable[[FetchOutcome], None]) -> Owners | Schedule:
        def make(kind: Any, sink: Any) -> Any:
            return kind(self.config, self.web, sink, random.Random(1), slots=self.slots)

        if self.owners:
            return Owners(self.owners, make, sink, self.deaths)
        schedule: Schedule = make(Schedule, sink)
        return schedule
