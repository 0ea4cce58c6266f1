"""How hosts of each temper are asked, hours of it on a clock that jumps."""

import asyncio
import logging
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simulated_hosts import (
    Answer,
    Run,
    Web,
    down_between,
    metering,
    refused,
    refusing_at_random,
    run_at_once,
    simulate,
    throttled,
    well,
)
from webemo_curate.config import FetchConfig
from webemo_curate.download.outcome import RETRIED, AttemptError, FetchOutcome
from webemo_curate.download.schedule import Schedule
from webemo_curate.verdicts import FetchStatus

RATE = 20.0
HOST = "a.example"
DAY = 86_400.0


def urls(count: int, host: str = HOST) -> list[str]:
    return [f"http://{host}/{number}" for number in range(count)]


def fetch(answer: Answer, count: int, passes: int = 1, **options: object) -> tuple[Web, Run]:
    web = Web({HOST: answer})
    config = FetchConfig.model_validate({"rate": RATE} | options)
    return web, simulate(web, urls(count), config, passes)


def statuses(run: Run) -> Counter[str]:
    return Counter(outcome.status for outcome in run.outcomes.values())


def share_refused(counts: Counter[str]) -> float:
    return 1 - counts[FetchStatus.OK] / counts.total()


@pytest.mark.parametrize("retry_after", [None, 1.0, 10.0])
@pytest.mark.parametrize("seed", range(3))
def test_refusals_by_chance_do_not_slow_a_host_down(retry_after: float | None, seed: int) -> None:
    web, run = fetch(refusing_at_random(0.03, retry_after, seed), 6000)
    assert statuses(run) == {FetchStatus.OK: 6000}
    assert 6000 / run.seconds >= 0.8 * RATE
    assert max(Counter(url for _, _, url, _ in web.asked).values()) == 2


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
def test_refusals_that_slowness_does_not_mend_never_bring_a_host_to_a_halt(share: float) -> None:
    draw = random.Random(1)
    _, run = fetch(lambda *_: throttled() if draw.random() < share else None, 6000, passes=2)
    assert statuses(run)[FetchStatus.OK] > 5950
    assert 6000 / run.seconds >= 0.15 * RATE


@pytest.mark.parametrize("retry_after", [None, 1.0])
@pytest.mark.parametrize("burst", [1.0, 5.0, 20.0])
def test_host_that_meters_is_fetched_at_its_rate(burst: float, retry_after: float | None) -> None:
    web, run = fetch(metering(5.0, burst, retry_after), 6000, passes=2)
    assert statuses(run) == {FetchStatus.OK: 6000}
    settled = web.within(60, run.seconds - 60)
    assert settled[FetchStatus.OK] / (run.seconds - 120) >= 0.8 * 5
    assert share_refused(settled) < 0.05


def test_metering_is_found_within_seconds_at_a_high_rate_too() -> None:
    web, run = fetch(metering(5.0, 5.0), 1000, passes=2, rate=1500)
    assert statuses(run) == {FetchStatus.OK: 1000}
    assert share_refused(web.within(60, run.seconds)) < 0.06
    assert web.within(0, 60).total() - web.within(0, 60)[FetchStatus.OK] < 150


@pytest.mark.parametrize("start", [0.0, 30.0])
@pytest.mark.parametrize("error", [refused, throttled, lambda: throttled(20.0)])
def test_host_that_is_down_for_a_minute_is_asked_a_few_times_then_fetched_whole(
    start: float, error: type
) -> None:
    web, run = fetch(down_between(start, start + 60, error), 3000)
    assert statuses(run) == {FetchStatus.OK: 3000}
    assert web.within(start, start + 60).total() < 20
    back = [began for began, _, _, status in web.asked if status == FetchStatus.OK]
    assert min(began for began in back if began > start) < start + 60 + 61
    assert run.seconds < 3000 / RATE + 60 + 120


def test_host_that_stays_down_is_given_up_and_every_url_ends_typed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "webemo_curate"):
        web, run = fetch(down_between(50, 1e9), 20_000, passes=2)
    counts = statuses(run)
    assert counts.keys() == {FetchStatus.OK, FetchStatus.CONNECTION}
    assert counts.total() == 20_000
    assert web.within(60, 1e9).total() < 60
    assert run.seconds < 50 + 2 * (300 + 61)
    reasons = Counter(o.error_class for o in run.outcomes.values() if o.status != FetchStatus.OK)
    assert reasons.most_common(1)[0][0] == "host given up: could not connect"
    assert "a.example is given up for now: could not connect" in caplog.text


def test_host_given_up_is_fetched_whole_in_the_next_pass_if_it_is_back() -> None:
    _, run = fetch(down_between(10, 400), 3000, passes=2)
    assert statuses(run) == {FetchStatus.OK: 3000}


def test_retry_after_of_one_url_holds_that_one_alone() -> None:
    held = f"http://{HOST}/7"
    web, run = fetch(lambda _, url: throttled(DAY) if url == held else None, 500, passes=2)
    assert statuses(run) == {FetchStatus.OK: 499, FetchStatus.THROTTLED: 1}
    assert run.outcomes[held].status is FetchStatus.THROTTLED
    assert Counter(url for _, _, url, _ in web.asked)[held] == 1, "it must not be asked too early"
    assert 500 / run.seconds > 0.9 * RATE


def test_retry_after_that_fits_into_a_urls_time_is_waited_for() -> None:
    web, run = fetch(refusing_at_random(0.05, 20.0), 400)
    assert statuses(run) == {FetchStatus.OK: 400}
    first: dict[str, float] = {}
    for began, _, url, _ in sorted(web.asked):
        assert began - first.setdefault(url, began) in (0, pytest.approx(20, abs=2))


def test_retry_after_of_most_answers_holds_the_host_and_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    web = Web({HOST: lambda now, _: throttled(100 - now) if now < 100 else None, "b.example": well})
    listed = urls(300) + urls(300, "b.example")
    with caplog.at_level(logging.INFO, "webemo_curate"):
        run = simulate(web, listed, FetchConfig(rate=RATE), passes=2)
    assert statuses(run) == {FetchStatus.OK: 600}
    assert web.within(0, 99, HOST).total() < 12
    assert web.within(0, 20, "b.example").total() == 300
    assert "a.example rests 100 s: Retry-After" in caplog.text


def test_retry_after_of_a_day_for_a_whole_host_ends_its_urls_in_seconds() -> None:
    web, run = fetch(lambda *_: throttled(DAY), 5000, passes=3)
    assert statuses(run) == {FetchStatus.THROTTLED: 5000}
    assert len(web.asked) < 13, "no pass may ask again before the day is over"
    assert run.seconds < 60


def test_slow_hosts_do_not_block_others() -> None:
    slow = [f"slow{number}.example" for number in range(100)]
    web = Web({name: metering(0.2, 1.0) for name in slow} | {HOST: well})
    listed = [url for name in slow for url in urls(20, name)] + urls(1000)
    simulate(web, listed, FetchConfig(rate=RATE))
    assert web.within(0, 1000 / RATE + 1, HOST)[FetchStatus.OK] == 1000


def test_hosts_are_forgotten_when_nothing_waits_for_them() -> None:
    names = [f"h{number}.example" for number in range(5000)]
    web = Web({name: down_between(0, 1e9) if name[1] == "7" else well for name in names})
    most = 0

    def sink(_: FetchOutcome) -> None:
        nonlocal most
        most = max(most, len(schedule._hosts.active))

    schedule = Schedule(FetchConfig(retries=0), web, sink)
    run_at_once(schedule.run([url for name in names for url in urls(2, name)]))
    assert not schedule._hosts.active
    assert most < 2000
    assert not schedule._unopened


def test_waiting_for_the_host_is_not_a_urls_own_time() -> None:
    # At one request a second, the last URL waits for five minutes; its own time is two seconds.
    _, run = fetch(refusing_at_random(0.1), 300, rate=1.0, timeout=15)
    assert statuses(run) == {FetchStatus.OK: 300}


def test_slow_host_says_why() -> None:
    web = Web({HOST: metering(5.0, 5.0), "b.example": lambda *_: throttled(200.0)})
    said: list[str] = []

    async def work() -> None:
        schedule = Schedule(FetchConfig(rate=RATE), web, lambda _: None, random.Random(0))
        task = asyncio.create_task(schedule.run(urls(2000) + urls(100, "b.example")))
        await asyncio.sleep(60)
        said.extend(schedule.troubles())
        task.cancel()

    run_at_once(work())
    assert said[0].startswith("a.example 4.") or said[0].startswith("a.example 5.")
    assert "/s of 20, refuses " in said[0]
    assert said[1] == "b.example rests 140 s: Retry-After"


ENDS = [FetchStatus.NOT_FOUND, *sorted(RETRIED)]


@settings(max_examples=60, deadline=None)
@given(
    plan=st.lists(st.lists(st.sampled_from(ENDS), max_size=6).map(tuple), min_size=1, max_size=30),
    hosts=st.integers(1, 4),
    passes=st.integers(1, 3),
    latency=st.sampled_from([0.01, 1.0, 7.0]),
)
def test_every_url_ends_once_a_pass_as_what_it_was_answered(
    plan: list[tuple[FetchStatus, ...]], hosts: int, passes: int, latency: float
) -> None:
    listed = [f"http://h{number % hosts}.example/{number}" for number in range(len(plan))]
    left = dict(zip(listed, map(list, plan), strict=True))

    def answer(_now: float, url: str) -> AttemptError | None:
        if not left[url]:
            return None
        status = left[url].pop(0)
        return AttemptError(status, str(status), None if status == FetchStatus.TIMEOUT else 500)

    web = Web({f"h{number}.example": answer for number in range(hosts)}, latency)
    run = simulate(web, listed, FetchConfig(timeout=10, patience=100), passes)
    assert set(run.outcomes) == set(listed)
    for url, outcome in run.outcomes.items():
        came = [status for _, _, asked, status in web.asked if asked == url]
        if outcome.status is FetchStatus.TIMEOUT:
            last = came[-outcome.attempts :]
            assert set(last) == {FetchStatus.TIMEOUT}, "only what nothing answered is a timeout"
        elif outcome.attempts:
            assert outcome.status in came


@pytest.mark.parametrize("count", [1, 2, 5, 7])
@pytest.mark.parametrize("error", [refused, throttled])
@pytest.mark.parametrize("seed", range(3))
def test_a_host_of_few_urls_loses_none_in_an_outage_of_a_minute(
    count: int, error: type, seed: int
) -> None:
    web = Web({HOST: down_between(0, 60, error), "b.example": well})
    listed = urls(count) + urls(20, "b.example")
    run = simulate(web, listed, FetchConfig(rate=RATE), passes=2, seed=seed)
    assert statuses(run) == {FetchStatus.OK: len(listed)}
    assert run.seconds < 60 + 60 + 61


def test_a_host_that_is_well_is_asked_again_at_once_in_the_next_pass() -> None:
    failing = {f"http://{HOST}/3"}
    _, run = fetch(lambda _, url: throttled() if url in failing else None, 300, passes=3)
    assert statuses(run) == {FetchStatus.OK: 299, FetchStatus.THROTTLED: 1}
    assert run.seconds < 300 / RATE + 3 * 31
