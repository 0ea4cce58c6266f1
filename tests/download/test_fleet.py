"""Hosts dealt out to several processes: the same rows, every host asked by its owner alone."""

import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.download.site import Site, answer, picture, running, stored
from webemo_curate.config import DecodingConfig, FetchConfig
from webemo_curate.download import deal as dealing
from webemo_curate.download.deal import Deal
from webemo_curate.download.journal import Journal
from webemo_curate.download.outcome import AttemptError
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.fetch import FetchStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.verdicts import FetchStatus
from webemo_curate.workspace import Workspace

TIMES = {"started", "finished"}
ROBOTS = "/robots.txt"
BUSY = answer(b"", status=b"503 Busy")


@pytest.fixture
def hosts() -> Iterator[list[Site]]:
    """Four hosts on loopback addresses of their own."""
    with ExitStack() as stack:
        yield [stack.enter_context(running(host=f"127.0.0.{2 + n}")) for n in range(4)]


@pytest.fixture(autouse=True)
def _short_lists_go_to_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dealing, "URLS_A_PROCESS", 1)


def base(site: Site) -> str:
    host, port = site.server_address[:2]
    return f"http://{host}:{port}"


def fetch(folder: Path, urls: list[str], workers: int, **options: Any) -> dict[str, dict[str, Any]]:
    settings = {"rate": 5000, "timeout": 5, "retries": 1, "passes": 1, "max_bytes": 100_000}
    settings |= {"patience": 2.5, "placeholder_urls": 10**6}
    config = FetchConfig.model_validate(settings | options)
    context = StageContext(Workspace(folder), LocalRunner(workers), "test")
    table = FetchStage(config, DecodingConfig()).run({"listing": pa.table({"url": urls})}, context)[
        "fetch"
    ]
    return {row["url"]: row for row in table.to_pylist()}


def owners() -> list[psutil.Process]:
    """Return the processes that own hosts: the children of this one with children of their own."""
    return sorted((p for p in psutil.Process().children() if p.children()), key=lambda p: p.pid)


def targets(site: Site) -> Counter[str]:
    return Counter(head.split()[1] for head in site.heads)


def moved(location: str) -> bytes:
    return answer(b"", b"Location: " + location.encode(), status=b"302 Found")


def misbehaving(hosts: list[Site]) -> list[str]:
    """Give the hosts answers of every kind, with redirects between them; return the URLs."""
    a, b, c, d = map(base, hosts)
    for number, site in enumerate(hosts):
        site.heads.clear()
        site.answers = {f"/{n}.jpg": answer(picture(100 * number + n)) for n in range(30)}
        site.answers |= {
            ROBOTS: answer(b"User-agent: *\nDisallow: /private/\n"),
            "/private/1.jpg": answer(picture(9)),
            "/page.jpg": answer(b"<html>"),
            "/gone.jpg": answer(b"", status=b"410 Gone"),
            "/broken.jpg": answer(picture(7)[:-150]),
            "/busy.jpg": [BUSY, answer(picture(50 + number))],
            "/always.jpg": BUSY,
        }
    hosts[0].answers |= {
        "/to-b.jpg": moved(f"{b}/29.jpg"),
        "/round.jpg": moved(f"{c}/back.jpg"),
        "/round2.jpg": answer(picture(77)),
        "/to-busy.jpg": moved(f"{d}/busy-once.jpg"),
        "/to-private.jpg": moved(f"{b}/private/1.jpg"),
        "/to-nothing.jpg": moved("http://127.0.0.9:9/1.jpg"),
        "/unlisted.jpg": moved("http://127.0.0.8:9/1.jpg"),
    }
    hosts[2].answers["/back.jpg"] = moved(f"{a}/round2.jpg")
    hosts[3].answers["/busy-once.jpg"] = [BUSY, answer(picture(88))]
    hosts[3].answers[ROBOTS] = moved(f"{a}/rules-of-d.txt")
    hosts[0].answers["/rules-of-d.txt"] = answer(b"User-agent: *\nDisallow: /3.jpg\n")
    names = [*(f"{n}.jpg" for n in range(29)), "private/1.jpg", "page.jpg", "gone.jpg"]
    names += ["broken.jpg", "busy.jpg", "always.jpg"]
    urls = [f"{place}/{name}" for place in (a, b, c, d) for name in names]
    odd = ["to-b", "round", "to-busy", "to-private", "to-nothing", "unlisted"]
    return [*urls, *(f"{a}/{name}.jpg" for name in odd), "ftp://x.example/1.jpg"]


def test_rows_are_the_same_from_one_process_two_and_three(
    tmp_path: Path, hosts: list[Site]
) -> None:
    found = []
    for workers in (1, 2, 3):
        urls = misbehaving(hosts)
        rows = fetch(tmp_path / str(workers), urls, workers)
        found.append(
            {url: {k: v for k, v in row.items() if k not in TIMES} for url, row in rows.items()}
        )
        for site in hosts:
            assert targets(site)[ROBOTS] == 1, "robots.txt is asked for once, by the host's owner"
            assert targets(site)["/0.jpg"] == 1
        assert targets(hosts[0])["/rules-of-d.txt"] == 1
        assert stored(tmp_path / str(workers), rows[f"{base(hosts[1])}/3.jpg"]) == picture(103)
    assert found[0] == found[1] == found[2]
    statuses = {row["status"] for row in found[0].values()}
    assert len(statuses) >= 8
    assert found[2][f"{base(hosts[3])}/3.jpg"]["status"] == FetchStatus.ROBOTS
    assert found[2][f"{base(hosts[0])}/to-busy.jpg"]["attempts"] == 2


def test_what_failed_gets_another_pass_wherever_it_ended(tmp_path: Path, hosts: list[Site]) -> None:
    a, b = map(base, hosts[:2])
    hosts[0].answers = {"/1.jpg": moved(f"{b}/1.jpg"), "/2.jpg": answer(picture(2))}
    hosts[1].answers = {"/1.jpg": [BUSY, BUSY, answer(picture(1))], "/2.jpg": [BUSY, BUSY, BUSY]}
    hosts[1].answers["/2.jpg"].append(answer(picture(3)))
    urls = [f"{a}/1.jpg", f"{a}/2.jpg", f"{b}/2.jpg"]
    rows = fetch(tmp_path, urls, 2, passes=3, retries=0, ignore_robots=True)
    assert {row["status"] for row in rows.values()} == {FetchStatus.OK} | {FetchStatus.THROTTLED}
    assert rows[f"{a}/1.jpg"]["attempts"] == 3
    assert rows[f"{b}/2.jpg"]["attempts"] == 3


@pytest.mark.parametrize(
    "number", [pytest.param(0, marks=pytest.mark.slow), 1, pytest.param(2, marks=pytest.mark.slow)]
)
def test_a_killed_process_loses_nothing(
    tmp_path: Path, hosts: list[Site], number: int, caplog: pytest.LogCaptureFixture
) -> None:
    for place, site in enumerate(hosts):
        site.answers = {f"/{n}.jpg": answer(picture(1000 * place + n)) for n in range(150)}
        site.answers["/0.jpg"] = moved(f"{base(hosts[place - 1])}/1.jpg")
    urls = [f"{base(site)}/{n}.jpg" for site in hosts for n in range(150)]

    def kill() -> None:
        while sum(len(site.heads) for site in hosts) < 150:
            time.sleep(0.01)
        owners()[number].send_signal(signal.SIGKILL)

    killing = threading.Thread(target=kill)
    killing.start()
    rows = fetch(tmp_path, urls, 3, rate=150, ignore_robots=True)
    killing.join()
    assert "a process died" in caplog.text
    assert Counter(row["status"] for row in rows.values()) == {FetchStatus.OK: len(urls)}
    again = sum((targets(site) for site in hosts), Counter())
    assert len(again) == 150
    twice = sum(count - 1 for site in hosts for count in targets(site).values())
    assert twice <= len(hosts) + 8 * len(hosts) + 32, "what was in a journal is not asked for again"
    assert not owners()


def test_redirects_of_other_processes_keep_a_hosts_rate(tmp_path: Path, hosts: list[Site]) -> None:
    target, *others = hosts
    moments: list[float] = []
    seen = threading.Lock()

    class Watched(dict[str, bytes]):
        def get(self, path: str, default: Any = None) -> Any:
            with seen:
                moments.append(time.monotonic())
            return super().get(path, default)

    target.answers = Watched({f"/{n}.jpg": answer(picture(n)) for n in range(80)})
    for place, site in enumerate(others):
        site.answers = {
            f"/{n}.jpg": moved(f"{base(target)}/{20 * place + n}.jpg") for n in range(20)
        }
    urls = [f"{base(site)}/{n}.jpg" for site in others for n in range(20)]
    urls += [f"{base(target)}/{n}.jpg" for n in range(60, 80)]
    rows = fetch(tmp_path, urls, 3, rate=40, ignore_robots=True)
    assert {row["status"] for row in rows.values()} == {FetchStatus.OK}
    moments.sort()
    assert len(moments) == 80
    # A turn missed within a fifth of a second may be made up for.
    for first, later in zip(moments, moments[40:], strict=False):
        assert later - first > 40 / 40 - 0.3


def wait_for(done: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def command(folder: Path, urls: list[str], workers: int, *options: str) -> list[str]:
    listed = folder / "list.txt"
    listed.write_text("".join(f"{url} 3\n" for url in urls))
    code = (
        "from webemo_curate.download import deal; deal.URLS_A_PROCESS = 1; "
        "from webemo_curate.cli import main; main()"
    )
    fixed = ["fetch", "--lists", str(listed), "--workspace", str(folder / "ws"), "--rate", "60"]
    return [sys.executable, "-c", code, *fixed, "--workers", str(workers), *options]


@pytest.mark.slow
def test_a_run_goes_on_with_another_number_of_processes(tmp_path: Path, hosts: list[Site]) -> None:
    for place, site in enumerate(hosts):
        site.answers = {f"/{n}.jpg": answer(picture(1000 * place + n)) for n in range(150)}
    urls = [f"{base(site)}/{n}.jpg" for site in hosts for n in range(150)]
    for workers, enough in ((3, 160), (2, 350)):
        process = subprocess.Popen(
            command(tmp_path, urls, workers), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        wait_for(lambda enough=enough: sum(len(site.asked()) for site in hosts) >= enough)
        process.kill()
        process.wait()
    store = Workspace(tmp_path / "ws").store
    journaled = [e for part in Journal(store, "data/checkpoints/fetch").read() for e in part]
    assert len(journaled) > 100
    before = {f"{base(site)}{path}": n for site in hosts for path, n in targets(site).items()}
    subprocess.run(command(tmp_path, urls, 1), check=True, capture_output=True)
    rows = Workspace(tmp_path / "ws").read("fetch").to_pylist()
    assert Counter(row["status"] for row in rows) == {FetchStatus.OK: len(urls)}
    after = {f"{base(site)}{path}": n for site in hosts for path, n in targets(site).items()}
    for entry in journaled:
        assert after[entry.outcome.url] == before[entry.outcome.url], "it is in a journal"


def test_ctrl_c_ends_every_process_within_two_seconds(tmp_path: Path, hosts: list[Site]) -> None:
    for place, site in enumerate(hosts):
        site.answers = {f"/{n}.jpg": answer(picture(1000 * place + n)) for n in range(300)}
    urls = [f"{base(site)}/{n}.jpg" for site in hosts for n in range(300)]
    process = subprocess.Popen(
        command(tmp_path, urls, 3), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    wait_for(lambda: sum(len(site.asked()) for site in hosts) >= 100)
    family = psutil.Process(process.pid).children(recursive=True)
    pressed = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert time.monotonic() - pressed < 2.5
    assert "goes on" in said or "go on" in said or "kept" in said
    psutil.wait_procs(family, timeout=3)
    assert not [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def test_one_host_is_asked_by_this_process_alone(tmp_path: Path, hosts: list[Site]) -> None:
    hosts[0].answers = {f"/{n}.jpg": answer(picture(n)) for n in range(20)}
    rows = fetch(tmp_path, [f"{base(hosts[0])}/{n}.jpg" for n in range(20)], 3)
    assert {row["status"] for row in rows.values()} == {FetchStatus.OK}
    assert not (tmp_path / "data/checkpoints/fetch/owners-000").exists()


@pytest.mark.slow
def test_full_disk_ends_every_process_and_loses_nothing(tmp_path: Path, hosts: list[Site]) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(small)]
    if subprocess.run(mounting, check=False).returncode:
        pytest.skip("only root may mount the small disk that this needs")
    try:
        for place, site in enumerate(hosts):
            site.answers = {f"/{n}.jpg": answer(picture(1000 * place + n)) for n in range(150)}
        urls = [f"{base(site)}/{n}.jpg" for site in hosts for n in range(150)]
        with pytest.raises(Exception, match="free some space"):
            fetch(small, urls, 2)
        assert not owners()
        subprocess.run(["mount", "-o", "remount,size=200m", str(small)], check=True)
        rows = fetch(small, urls, 3)
        assert Counter(row["status"] for row in rows.values()) == {FetchStatus.OK: len(urls)}
    finally:
        subprocess.run(["umount", str(small)], check=True)


SIZES = st.dictionaries(st.text("abc.", min_size=1, max_size=6), st.integers(1, 1000), max_size=30)


@given(sizes=SIZES, most=st.integers(1, 8))
def test_each_host_has_one_owner_whoever_asks(sizes: dict[str, int], most: int) -> None:
    deal = Deal.of(sizes, most)
    assert 1 <= deal.processes <= max(1, min(most, len(sizes)))
    shares = deal.shares(sizes)
    assert sorted(name for share in shares for name in share) == sorted(sizes)
    assert all(shares) or not sizes
    there = pickle.loads(pickle.dumps(deal))
    assert [there.owner(name) for name in sizes] == [deal.owner(name) for name in sizes]
    assert 0 <= deal.owner("elsewhere.example") < deal.processes


def test_a_failure_reaches_another_process_whole() -> None:
    error = AttemptError(FetchStatus.THROTTLED, "HTTP 429", 429, 7.0)
    there = pickle.loads(pickle.dumps(error))
    assert (there.status, str(there), there.http_status, there.retry_after) == (
        error.status,
        "HTTP 429",
        429,
        7.0,
    )
