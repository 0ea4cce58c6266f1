"""How busy this machine is never decides what is said of a URL."""

import asyncio
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import pytest

from benchmarks.simulated_hosts import Web, refused
from tests.download.site import Site, answer, picture
from webemo_curate.config import FetchConfig
from webemo_curate.download import names as naming
from webemo_curate.download.names import Names
from webemo_curate.download.outcome import AttemptError, FetchOutcome
from webemo_curate.download.pools import Pools
from webemo_curate.download.room import Room
from webemo_curate.download.schedule import ENDED_AT_ONCE, Schedule
from webemo_curate.download.steps import Step, Turns
from webemo_curate.runner.conversation import run_to_end
from webemo_curate.verdicts import FetchStatus

LIMIT = 1.0
"""Seconds that a request may take."""

TIMEOUT = 5.0
"""Seconds of a URL's own time."""


async def keep_busy() -> None:
    """Look at what has arrived four times in twice the limit, and work between."""
    for _ in range(4):
        await asyncio.sleep(0)
        time.sleep(LIMIT / 2)


async def while_busy(request: Coroutine[Any, Any, Any]) -> Any:
    asked = asyncio.create_task(request)
    await asyncio.sleep(0)  # it has begun
    await keep_busy()
    return await asked


@pytest.mark.parametrize("with_room", [False, True])
def test_an_answer_that_is_there_counts_however_late_it_is_read(
    site: Site, with_room: bool
) -> None:
    site.answers = {"/a.jpg": answer(picture())}

    async def ask() -> Any:
        async with Pools("test") as pools:
            share = Room().share() if with_room else None
            get = pools.of(public_only=False).get
            return await while_busy(get(f"{site.base}/a.jpg", LIMIT, 10**5, "*/*", [], share))

    response = run_to_end(ask())
    assert (response.status, response.content) == (200, picture())


def test_a_host_that_refuses_is_not_silent_because_that_is_read_late() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]

    async def ask() -> None:
        async with Pools("test") as pools:
            get = pools.of(public_only=False).get
            await while_busy(get(f"http://127.0.0.1:{port}/", LIMIT, 10**5, "*/*", []))

    with pytest.raises(AttemptError, match="refused") as raised:
        run_to_end(ask())
    assert raised.value.status is FetchStatus.CONNECTION


def test_silence_ends_at_its_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:

        async def ask() -> None:
            async with Pools("test") as pools:
                get = pools.of(public_only=False).get
                url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
                await get(url, 0.3, 10**5, "*/*", [])

        began = time.monotonic()
        with pytest.raises(AttemptError, match="operation timedout") as raised:
            run_to_end(ask())
    assert raised.value.status is FetchStatus.TIMEOUT
    assert 0.3 <= time.monotonic() - began < 5


def test_a_name_that_finds_no_thread_loses_no_time(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming, "MAX_LOOKUPS", 2)
    over = threading.Event()
    site.answers = {"/a.jpg": answer(picture())}

    def look(host: str) -> list[str]:
        if host.startswith("hangs"):
            over.wait()
        return ["127.0.0.1"]

    async def ask() -> tuple[Any, ...]:
        async with Pools("test", names=Names(look)) as pools:
            get, share = pools.of(public_only=False).get, Room().share()
            port = site.server_address[1]
            start = asyncio.create_task
            hanging = [
                start(get(f"http://hangs{n}.example:{port}/", 0.2, 10**5, "*/*", []))
                for n in range(2)
            ]
            url = f"http://answers.example:{port}/a.jpg"
            asking = start(get(url, 0.4, 10**5, "*/*", [], share))
            hung = await asyncio.gather(*hanging, return_exceptions=True)
            await asyncio.sleep(0.4)
            over.set()
            return *hung, await asking, share.waited

    *hung, response, waited = run_to_end(ask())
    assert [str(error) for error in hung] == ["operation timedout: name look-up"] * 2
    assert response.status == 200
    assert waited >= 0.5, "it is not taken off the URL's own time either"


class Slow(Web):
    """Refuses, but not within what is left of a URL's time after its first attempt."""

    async def ask(self, step: Step, seconds: float, turns: Turns) -> Any:
        if seconds < TIMEOUT:
            raise AttemptError(FetchStatus.TIMEOUT, "operation timedout")
        return await super().ask(step, seconds, turns)


class AtOnce(random.Random):
    """Lets no time pass between two attempts."""

    def uniform(self, a: float, _b: float) -> float:
        return a


def given_up(
    web: Web, hosts: int, urls: int, draw: random.Random | None = None, **options: Any
) -> tuple[list[FetchOutcome], int]:
    """Fetch from hosts that refuse; return the outcomes, and the most in a round of the loop."""
    found: list[FetchOutcome] = []
    counts = [0]

    def sink(outcome: FetchOutcome) -> None:
        if not counts[-1]:
            asyncio.get_running_loop().call_soon(counts.append, 0)
        counts[-1] += 1
        found.append(outcome)

    settings = {"rate": 1000, "timeout": TIMEOUT, "patience": 0.5, "retries": 2} | options
    config = FetchConfig.model_validate(settings)
    listed = [f"http://h{n % hosts}.example/{n}" for n in range(hosts * urls)]
    run_to_end(Schedule(config, web, sink, draw).run(listed))
    return found, max(counts)


def test_many_hosts_given_up_at_once_keep_no_other_from_being_heard() -> None:
    web = Web({f"h{n}.example": lambda *_: refused() for n in range(8)}, latency=0.01)
    found, most = given_up(web, 8, ENDED_AT_ONCE // 2)
    assert len(found) == 8 * ENDED_AT_ONCE // 2
    assert {outcome.status for outcome in found} == {FetchStatus.CONNECTION}
    assert most <= ENDED_AT_ONCE


def test_a_host_is_not_given_up_for_the_silence_of_an_attempt_cut_short() -> None:
    web = Slow({"h0.example": lambda *_: refused()}, latency=0.01)
    found, _ = given_up(web, 1, 40, AtOnce(), concurrency=1, patience=0.001)
    assert Counter(outcome.status for outcome in found) == {FetchStatus.CONNECTION: 40}
