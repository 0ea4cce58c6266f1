"""Hosts that are given up, and what is queued for them meanwhile."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from benchmarks.simulated_hosts import Web, down_between, pass_time, run_at_once, throttled
from tests.download.test_politeness import DAY, HOST, RATE, urls
from webemo_curate.config import FetchConfig
from webemo_curate.download.outcome import FetchOutcome
from webemo_curate.download.rest import MIN_ANSWERS
from webemo_curate.download.schedule import ENDED_AT_ONCE, Schedule
from webemo_curate.download.steps import Step, Turns
from webemo_curate.verdicts import FetchStatus


@pytest.mark.parametrize("latency", [0.01, 0.05])
@pytest.mark.parametrize("count", [1, 8])
def test_no_host_is_asked_while_its_many_urls_are_ended(count: int, latency: float) -> None:
    hosts = {f"h{number}.example": lambda *_: throttled(DAY) for number in range(count)}
    web = Web(hosts, latency)
    listed = [url for name in hosts for url in urls(3 * ENDED_AT_ONCE // 2, name)]
    ended = Counter[str]()

    def sink(outcome: FetchOutcome) -> None:
        ended[outcome.status] += 1
        if "host given up" in (outcome.error_class or ""):
            pass_time(0.01)  # the turn that the host had before falls due

    run_at_once(Schedule(FetchConfig(rate=RATE), web, sink).run(listed))
    assert ended == {FetchStatus.THROTTLED: len(listed)}
    asked = {web.within(0, DAY, name).total() for name in hosts}
    assert asked == {MIN_ANSWERS + (latency * RATE >= 1)}, "what was under way besides"


class SlowFirst(Web):
    """Takes two seconds for the first URL of a host."""

    async def ask(self, step: Step, seconds: float, turns: Turns) -> Any:
        if step.url.endswith("/0"):
            await asyncio.sleep(2)
        return await super().ask(step, seconds, turns)


def test_a_host_that_answers_while_another_is_given_up_keeps_its_urls() -> None:
    back = "back.example"
    web = SlowFirst({HOST: lambda *_: throttled(DAY), back: down_between(0, 1.5)})
    ended: list[FetchOutcome] = []

    def sink(outcome: FetchOutcome) -> None:
        ended.append(outcome)
        if HOST in outcome.url:
            pass_time(0.001)

    config = FetchConfig(rate=RATE, patience=0.3)
    run_at_once(Schedule(config, web, sink).run(urls(5 * ENDED_AT_ONCE) + urls(100, back)))
    found = Counter(outcome.status for outcome in ended if back in outcome.url)
    assert found == {FetchStatus.OK: 100}
