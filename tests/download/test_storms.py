"""Hosts that fail, lead to one another and are given up, in any order of events."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simulated_hosts import Web, pass_time, run_at_once
from webemo_curate.config import FetchConfig
from webemo_curate.download import schedule as scheduling
from webemo_curate.download.deal import Deal
from webemo_curate.download.hosts import host_of
from webemo_curate.download.notes import Handed
from webemo_curate.download.outcome import RETRIED, AttemptError, Body, FetchOutcome
from webemo_curate.download.owned_schedule import OwnedSchedule
from webemo_curate.download.queues import Queues
from webemo_curate.download.rota import Rota
from webemo_curate.download.schedule import Schedule
from webemo_curate.download.steps import Step, Turns
from webemo_curate.download.turn_desk import TurnDesk
from webemo_curate.verdicts import FetchStatus

MAX_HOSTS = 4
REDIRECTS = 3
"""Most that a URL is led on in these tests."""

moods = st.tuples(
    st.sampled_from([FetchStatus.OK, FetchStatus.NOT_FOUND, *sorted(RETRIED)]),
    st.sampled_from([None, None, 2.0, 86_400.0]),
)
"""What an answer says, and its `Retry-After`."""


@dataclass
class Storm(Web):
    """Answers by turns, a mood after the other; some requests need another one elsewhere first."""

    moods: list[tuple[FetchStatus, float | None]] = field(default_factory=list)
    errand: dict[str, str] = field(default_factory=dict)
    under_way: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    count: int = 0

    async def ask(self, step: Step, seconds: float, turns: Turns) -> Any:
        if step.url in self.errand:
            with turns.waiting():
                async with turns.turn(self.errand[step.url]):
                    await self._answer(self.errand[step.url], seconds)
        await self._answer(step.url, seconds)
        leads = self.redirects.get(step.url)
        if leads and step.hops < REDIRECTS:
            return Step(leads, step.hops + 1)
        return Body(b"", 200, None, "")

    async def _answer(self, url: str, seconds: float) -> None:
        host = host_of(url)
        self.under_way[host] += 1
        self.most[host] = max(self.most[host], self.under_way[host])
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
        Makes one, from what it needs besides an asker and limits.
    sink : callable
        Receives each outcome.
    """

    def __init__(self, count: int, make: Any, sink: Any) -> None:
        self._deal = Deal(count, {f"h{number}.example": number % count for number in range(3)})
        self._sink, self._left, self._held = sink, 0, dict[str, float]()
        self._desk = TurnDesk(self._deal, lambda own, message: self._all[own].note(message))
        self._all: list[OwnedSchedule] = [
            make(partial(OwnedSchedule, self._deal, own, self._say), partial(self._end, own))
            for own in range(count)
        ]

    @property
    def rotas(self) -> list[Rota]:
        return [*self._all]

    def held(self) -> dict[str, float]:
        now = asyncio.get_running_loop().time()
        return {url: until - now for url, until in self._held.items() if until > now}

    async def run(self, urls: list[str]) -> None:
        held, self._done = self.held(), asyncio.Event()
        due = [url for url in urls if held.get(url, 0) < FetchConfig().timeout]
        self._left = len(due)
        async with asyncio.TaskGroup() as group:
            passes = [group.create_task(schedule.run_pass()) for schedule in self._all]
            await asyncio.sleep(0)
            for own, schedule in enumerate(self._all):
                mine = [url for url in due if self._deal.owner(host_of(url)) == own]
                schedule.deal_out(Queues.of(mine, str, self._sink, held, FetchConfig().timeout))
            while self._left:
                await self._done.wait()
            assert not any(task.done() for task in passes)
            for schedule in self._all:
                schedule.close_pass()
        assert not any(schedule._asked or schedule._lent for schedule in self._all)

    def _end(self, own: int, outcome: FetchOutcome) -> None:
        if wait := self._all[own].held_for(outcome.url):
            self._held[outcome.url] = asyncio.get_running_loop().time() + wait
        self._sink(outcome)
        self._left -= 1
        if not self._left:
            self._done.set()

    def _say(self, message: Any) -> None:
        asyncio.get_running_loop().call_soon(self._pass_on, message)

    def _pass_on(self, message: Any) -> None:
        if isinstance(message, Handed):
            owner = self._all[self._deal.owner(message.name)]
            owner.take_over(message.visit, message.name, message.wait)
        else:
            self._desk.pass_on(message)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_every_url_ends_once_a_pass_in_any_storm(data: st.DataObject) -> None:
    draw = data.draw
    hosts = [f"h{number}.example" for number in range(draw(st.integers(1, MAX_HOSTS)))]
    listed = [f"http://{hosts[n % len(hosts)]}/{n}" for n in range(draw(st.integers(1, 40)))]
    some = st.dictionaries(st.sampled_from(listed), st.sampled_from(listed), max_size=10)
    web = Storm({}, draw(st.sampled_from([0.0, 0.01, 1.0])), draw(some))
    web.moods, web.errand = draw(st.lists(moods, min_size=1, max_size=12)), draw(some)
    config = FetchConfig(
        rate=draw(st.sampled_from([1.0, 20.0])),
        concurrency=draw(st.integers(1, 4)),
        patience=draw(st.sampled_from([0.1, 5.0])),
        retries=draw(st.integers(0, 3)),
    )
    pause = draw(st.sampled_from([0.0, 0.1, 3.0]))
    ended = Counter[str]()

    def sink(outcome: FetchOutcome) -> None:
        ended[outcome.url] += 1
        pass_time(pause)

    owners, slots = draw(st.integers(0, 3)), draw(st.integers(1, 5))

    def make(kind: Any, sink: Any) -> Any:
        return kind(config, web, sink, random.Random(1), slots=slots)

    async def work() -> None:
        schedule = Owners(owners, make, sink) if owners else make(Schedule, sink)
        rotas = schedule.rotas if owners else [schedule]
        for _ in range(2):
            held = {url for url, wait in schedule.held().items() if wait >= config.timeout}
            expected = ended + Counter(url for url in listed if url not in held)
            await schedule.run(listed)
            assert ended == expected
            for rota in rotas:
                assert not rota._hosts.active, "nothing is forgotten in a queue"
                assert rota._under_way == rota._waiting == rota._unexamined == 0

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(scheduling, "ENDED_AT_ONCE", draw(st.integers(1, 5)))
        run_at_once(work())
    assert web.most.total() <= (config.concurrency + 1) * len(hosts)
