"""No way leads from the public net to a private address, whatever name it is given."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.download.site import Site, answer, picture, running
from webemo_curate.config import FetchConfig
from webemo_curate.download import exchange, transport
from webemo_curate.download.client import Downloader
from webemo_curate.download.names import Names
from webemo_curate.download.outcome import FetchOutcome
from webemo_curate.download.pools import Pools
from webemo_curate.download.proxies import proxy_of
from webemo_curate.download.public_net import is_public
from webemo_curate.download.schedule import Schedule
from webemo_curate.imaging import Examiner, ExamineWorker
from webemo_curate.verdicts import FetchStatus
from webemo_curate.workspace import Workspace

PUBLIC = "127.0.0.2"
"""A loopback address that these tests take for a public one."""

TARGETS = [
    "127.0.0.1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "x.localhost",
    "x.localhost.",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.0.0.%31",
    "%31%32%37.0.0.1",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "2130706433",
    "0",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[0:0:0:0:0:0:0:1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
    "[2a00::5efe:127.0.0.1]",
    "[2a00::200:5efe:7f00:1]",
    "[::1%25lo]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fc00::1]",
    "169.254.169.254",
    "169.254.169.254.",
    "2852039166",
    "10.0.0.5",
    "10.0.0.%35",
    "192.168.0.1",
    "192.0.0.192",
    "168.63.129.16",
    "100.100.100.200",
    "①②⑦.0.0.1",
    "inside.example",
    "no-such-name.example",
]
"""Each names loopback, the metadata service or a private net, or leads nowhere."""


def resolver() -> Callable[[str], list[str]]:
    """Return a look-up of made-up names; one of them answers differently each time."""
    asked: list[str] = []

    def look(host: str) -> list[str]:
        asked.append(host)
        name = host.rstrip(".")
        if name == "public.example":
            return [PUBLIC]
        if name == "inside.example":
            return ["10.0.0.5", "127.0.0.1"]
        if name == "rebinding.example":
            return [PUBLIC] if asked.count(host) == 1 else ["127.0.0.1"]
        if name == "localhost" or name.endswith(".localhost"):
            return ["127.0.0.1"]
        return [str(socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)[0][4][0])]

    return look


def fetch(
    folder: Path, urls: list[str], names: Names, **options: object
) -> dict[str, FetchOutcome]:
    """Fetch URLs, one after the other, with made-up names."""
    config = FetchConfig.model_validate(
        {"rate": 1000, "timeout": 3, "retries": 0, "concurrency": 1} | options
    )
    outcomes: dict[str, FetchOutcome] = {}

    async def work() -> None:
        async with Pools("test", names=names) as pools:
            client = Downloader(config, Workspace(folder), pools, examiner)
            await Schedule(config, client, lambda o: outcomes.__setitem__(o.url, o)).run(urls)

    with Examiner(ExamineWorker(10**6)) as examiner:
        asyncio.run(work())
    return outcomes


@pytest.fixture
def public_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take one loopback address for public: there is no public host in a test."""
    for module in (exchange, transport):
        monkeypatch.setattr(module, "is_public", lambda place: place == PUBLIC or is_public(place))


@pytest.fixture
def inside() -> Iterator[Site]:
    """A server on every loopback address: what answers there must not be reached."""
    with running(host="0.0.0.0") as site:
        yield site


def moved(target: str) -> bytes:
    return answer(b"", b"Location: " + target.encode(), status=b"302 Found")


@pytest.mark.usefixtures("public_loopback")
@pytest.mark.parametrize("ignore_robots", [False, True])
def test_no_redirect_leads_from_the_public_net_to_a_private_address(
    tmp_path: Path, inside: Site, ignore_robots: bool
) -> None:
    port = inside.server_address[1]
    inside.answers = {"/secret.jpg": answer(picture())}
    for number, target in enumerate(TARGETS):
        inside.answers[f"/{number}"] = moved(f"http://{target}:{port}/secret.jpg")
    listed = [f"http://public.example:{port}/{number}" for number in range(len(TARGETS))]
    found = fetch(tmp_path, listed, Names(resolver()), ignore_robots=ignore_robots)
    statuses = {target: found[url].status for target, url in zip(TARGETS, listed, strict=True)}
    lost = {target for target, status in statuses.items() if status == FetchStatus.CONNECTION}
    assert lost <= {"127.0.0.1.", "169.254.169.254.", "no-such-name.example"}, "no such names"
    assert {statuses[target] for target in TARGETS if target not in lost} == {FetchStatus.BAD_URL}
    hosts = [line for head in inside.heads for line in head.splitlines() if "Host: " in line]
    assert set(hosts) == {f"Host: public.example:{port}"}, "nothing else was asked at all"


@pytest.mark.usefixtures("public_loopback")
def test_a_name_that_leads_elsewhere_the_second_time_is_judged_by_where(
    tmp_path: Path, inside: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webemo_curate.download.names.HELD_SECONDS", 0.0)
    port = inside.server_address[1]
    url = f"http://rebinding.example:{port}/start"
    inside.answers = {"/start": moved("/secret.jpg"), "/secret.jpg": answer(picture())}
    found = fetch(tmp_path, [url], Names(resolver()), ignore_robots=True)
    assert found[url].status == FetchStatus.BAD_URL
    assert found[url].error_class == "redirect to a private address"
    assert inside.asked() == ["/start"]


@pytest.mark.usefixtures("public_loopback")
def test_connections_to_private_hosts_that_are_listed_are_not_lent_to_redirects(
    tmp_path: Path, inside: Site
) -> None:
    port = inside.server_address[1]
    listed = f"http://inside.example:{port}/own.jpg"
    public = f"http://public.example:{port}/start"
    inside.answers = {
        "/own.jpg": answer(picture()),
        "/start": moved(f"http://inside.example:{port}/secret.jpg"),
        "/secret.jpg": answer(picture(1)),
    }
    names = Names(lambda host: [PUBLIC] if host == "public.example" else ["127.0.0.1"])
    found = fetch(tmp_path, [listed, public], names, ignore_robots=True)
    assert found[listed].status == FetchStatus.OK, "a list may name whatever its user reaches"
    assert found[public].status == FetchStatus.BAD_URL
    let = fetch(tmp_path, [public], names, ignore_robots=True, allow_private=True)
    assert let[public].status == FetchStatus.OK


@pytest.mark.usefixtures("public_loopback")
def test_behind_a_proxy_private_addresses_are_refused_by_name(
    tmp_path: Path, inside: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = inside.server_address[1]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    targets = ["10.0.0.%35", "localhost.", "x.localhost", "169.254.169.254", "[::1]"]
    listed = [f"http://public.example/{number}" for number in range(len(targets))]
    for url, target in zip(listed, targets, strict=True):
        inside.answers[url] = moved(f"http://{target}/secret.jpg")
        inside.answers[f"http://{target}/secret.jpg"] = answer(picture())
    names = Names(lambda host: pytest.fail(f"{host} is the proxy's to look up"))
    found = fetch(tmp_path, listed, names, ignore_robots=True)
    assert {row.status for row in found.values()} == {FetchStatus.BAD_URL}
    assert sorted(inside.asked()) == listed


@pytest.mark.parametrize(
    ("environment", "proxied"),
    [
        ({}, False),
        ({"http_proxy": "p:1"}, True),
        ({"HTTP_PROXY": "p:1"}, False),
        ({"ALL_PROXY": "p:1"}, True),
        ({"http_proxy": "p:1", "no_proxy": "*"}, False),
        ({"http_proxy": "p:1", "no_proxy": "b.example, .a.example"}, False),
        ({"http_proxy": "p:1", "NO_PROXY": "xa.example"}, True),
        ({"http_proxy": "p:1", "no_proxy": "10.0.0.0/8"}, True),
    ],
)
def test_proxies_are_those_of_libcurl(environment: dict[str, str], proxied: bool) -> None:
    assert (proxy_of("http://www.a.example/x", environment) == "p:1") is proxied


def test_a_network_may_be_left_out_of_the_proxy() -> None:
    assert proxy_of("http://10.1.2.3/", {"http_proxy": "p:1", "no_proxy": "10.0.0.0/8"}) is None


@given(st.ip_addresses(v=4))
def test_an_address_is_as_public_as_that_which_it_carries(address: ipaddress.IPv4Address) -> None:
    assert is_public(f"::ffff:{address}") == is_public(str(address))
    for carrier in ("64:ff9b::", "64:ff9b:1::", "::ffff:0:", "2a00::5efe:"):
        assert is_public(f"{carrier}{address}") <= is_public(str(address))


@given(st.text(max_size=30))
def test_what_is_no_address_is_not_public(text: str) -> None:
    assert is_public(text) in (True, False)
