"""Names whose servers never answer cost their own URLs alone, and those no more than their time."""

import asyncio
import threading
from collections import Counter

from tests.download.site import answer, picture, running
from webemo_curate.download.names import Names
from webemo_curate.download.outcome import AttemptError
from webemo_curate.download.pools import Pools
from webemo_curate.verdicts import FetchStatus


def test_names_that_never_answer_keep_no_other_waiting() -> None:
    over = threading.Event()

    def look(host: str) -> list[str]:
        if host.startswith("hangs"):
            over.wait()
        return ["127.0.0.1"]

    async def ask() -> list[object]:
        async with Pools("test", names=Names(look)) as pools:
            transport = pools.of(public_only=False)
            hosts = [f"hangs{number}.example" for number in range(60)] + ["answers.example"]
            urls = [f"http://{host}:{site.server_address[1]}/a.jpg" for host in hosts]
            requests = [transport.get(url, 2, 100_000, "*/*", []) for url in urls]
            return await asyncio.gather(*requests, return_exceptions=True)

    with running() as site:
        site.answers = {"/a.jpg": answer(picture())}
        *hung, answered = asyncio.run(ask())
    over.set()
    assert getattr(answered, "status", None) == 200
    for error in hung:
        assert isinstance(error, AttemptError)
        assert (error.status, str(error)) == (
            FetchStatus.TIMEOUT,
            "operation timedout: name look-up",
        )


def test_a_name_is_looked_up_once_for_all_and_with_or_without_its_last_dot() -> None:
    asked: Counter[str] = Counter()

    def look(host: str) -> list[str]:
        asked[host] += 1
        return ["127.0.0.1"]

    async def ask() -> set[int]:
        async with Pools("test", names=Names(look)) as pools:
            transport = pools.of(public_only=False)
            urls = [f"http://{host}:{site.server_address[1]}/a" for host in ("a.x", "a.x.") * 5]
            got = [transport.get(url, 5, 100_000, "*/*", []) for url in urls]
            return {response.status for response in await asyncio.gather(*got)}

    with running() as site:
        site.answers = {"/a": answer(picture())}
        assert asyncio.run(ask()) == {200}
    assert asked == {"a.x": 1, "a.x.": 1}
