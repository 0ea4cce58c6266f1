"""The rate holds for the host that is asked, however a list or its servers lead there."""

import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simulated_hosts import Web, down_between, simulate, well
from tests.download.site import answer, fetch, picture, running
from webemo_curate.config import FetchConfig
from webemo_curate.download.pace import BURST_SECONDS
from webemo_curate.verdicts import FetchStatus

RATE = 5.0
TARGET = "target.example"


def leading(hosts: int, urls: int) -> tuple[Web, list[str]]:
    """Make hosts all of whose URLs lead to one other."""
    names = [f"h{number}.example" for number in range(hosts)]
    listed = [f"http://{name}/{number}" for name in names for number in range(urls)]
    redirects = {url: url.replace("http://", f"http://{TARGET}/") for url in listed}
    return Web(dict.fromkeys([*names, TARGET], well), redirects=redirects), listed


def most_within(moments: list[float], seconds: float) -> int:
    return max(sum(start <= moment < start + seconds for moment in moments) for start in moments)


def test_a_hundred_hosts_that_lead_to_one_do_not_overrun_it() -> None:
    web, listed = leading(100, 4)
    run = simulate(web, listed, FetchConfig(rate=RATE))
    assert {outcome.status for outcome in run.outcomes.values()} == {FetchStatus.OK}
    began = sorted(moment for moment, host, _, _ in web.asked if host == TARGET)
    assert len(began) == 400
    assert most_within(began, 1.0) <= RATE * (1 + BURST_SECONDS) + 1
    assert len(began) / (began[-1] - began[0]) <= 1.05 * RATE
    assert run.seconds < 400 / RATE + 5, "it is asked as fast as it may be"


@settings(max_examples=25, deadline=None)
@given(hosts=st.integers(1, 30), urls=st.integers(1, 5), rate=st.sampled_from([0.5, 5.0, 20.0]))
def test_no_host_is_asked_faster_than_the_rate(hosts: int, urls: int, rate: float) -> None:
    web, listed = leading(hosts, urls)
    run = simulate(web, listed, FetchConfig(rate=rate))
    assert len(run.outcomes) == len(listed)
    for name in web.answers:
        began = sorted(moment for moment, host, _, _ in web.asked if host == name)
        # Turns missed may be made up for, so pairs may be closer; no eleven are.
        assert all(b - a >= 0 for a, b in pairwise(began))
        assert all(
            later - earlier >= 10 / rate - BURST_SECONDS - 1 / rate
            for earlier, later in zip(began, began[10:], strict=False)
        )


def test_a_host_that_redirects_lead_to_and_is_down_costs_no_url() -> None:
    web, listed = leading(20, 10)
    web.answers[TARGET] = down_between(0.0, 60.0)
    run = simulate(web, listed, FetchConfig(rate=20))
    assert {outcome.status for outcome in run.outcomes.values()} == {FetchStatus.OK}
    assert web.within(0, 60, TARGET).total() < 30


def test_a_host_that_redirects_lead_to_and_stays_down_is_given_up() -> None:
    web, listed = leading(20, 50)
    web.answers[TARGET] = down_between(0.0, 1e9)
    run = simulate(web, listed, FetchConfig(rate=20), passes=2)
    assert {outcome.status for outcome in run.outcomes.values()} == {FetchStatus.CONNECTION}
    assert web.within(0, 1e9, TARGET).total() < 100
    assert run.seconds < 2 * 400


def test_a_host_that_many_lead_to_is_asked_at_its_rate_over_real_connections(
    tmp_path: Path,
) -> None:
    hosts, rate = 40, 20.0
    with running(host="0.0.0.0") as site:
        port = site.server_address[1]
        targets = [f"http://127.0.0.9:{port}/there/{number}" for number in range(hosts)]
        for number, target in enumerate(targets):
            site.answers[f"/{number}"] = answer(
                b"", b"Location: " + target.encode(), status=b"302 Found"
            )
            site.answers[f"/there/{number}"] = answer(picture(number))
        listed = [f"http://127.0.1.{number + 1}:{port}/{number}" for number in range(hosts)]
        began = time.monotonic()
        rows = fetch(tmp_path, listed, rate=rate, ignore_robots=True, timeout=30, passes=1)
        took = time.monotonic() - began
    assert {row["status"] for row in rows.values()} == {FetchStatus.OK}
    # Nothing but turns makes it wait: on loopback all could be asked for at once.
    assert took > 0.75 * (hosts / rate - BURST_SECONDS - 1 / rate)


@pytest.mark.parametrize("robots", [b"", b"User-agent: *\nDisallow: /no"])
def test_robots_txt_that_leads_to_one_host_is_asked_for_in_its_turn(
    tmp_path: Path, robots: bytes
) -> None:
    with running() as target, running() as first, running() as second:
        target.answers = {"/r": answer(robots)}
        moved = answer(b"", b"Location: " + f"{target.base}/r".encode(), status=b"302 Found")
        for site in (first, second):
            site.answers = {"/robots.txt": moved, "/a.jpg": answer(picture())}
            site.answers["/no.jpg"] = answer(picture(1))
        listed = [f"{site.base}/{name}.jpg" for site in (first, second) for name in ("a", "no")]
        rows = fetch(tmp_path, listed, allow_private=True)
        assert [head.split()[1] for head in target.heads] == ["/r", "/r"]
    forbidden = FetchStatus.ROBOTS if robots else FetchStatus.OK
    expected = {url: forbidden if "no.jpg" in url else FetchStatus.OK for url in listed}
    assert {url: row["status"] for url, row in rows.items()} == expected
