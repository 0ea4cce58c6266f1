"""Hosts dealt out to several processes: the same rows, every host asked by its owner alone."""

import pickle
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.download.several_hosts import base, fetch, moved, targets
from tests.download.site import Site, answer, picture, stored
from webemo_curate.download.deal import Deal
from webemo_curate.download.outcome import AttemptError
from webemo_curate.verdicts import FetchStatus

pytestmark = pytest.mark.usefixtures("short_lists_go_to_several")

TIMES = {"started", "finished"}
ROBOTS = "/robots.txt"
BUSY = answer(b"", status=b"503 Busy")


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


def test_one_host_is_asked_by_this_process_alone(tmp_path: Path, hosts: list[Site]) -> None:
    hosts[0].answers = {f"/{n}.jpg": answer(picture(n)) for n in range(20)}
    rows = fetch(tmp_path, [f"{base(hosts[0])}/{n}.jpg" for n in range(20)], 3)
    assert {row["status"] for row in rows.values()} == {FetchStatus.OK}
    assert not (tmp_path / "data/checkpoints/fetch/owners-000").exists()


@pytest.mark.parametrize("workers", [1, 3])
def test_hosts_that_keep_their_rules_with_one_another_are_fetched(
    tmp_path: Path, hosts: list[Site], workers: int
) -> None:
    for own, (site, other) in enumerate(zip(hosts, [*hosts[1:], hosts[0]], strict=True)):
        site.answers = {f"/{n}.jpg": answer(picture(100 * own + n)) for n in range(12)}
        site.answers[ROBOTS] = moved(f"{base(other)}/rules.txt")
        site.answers["/rules.txt"] = answer(b"User-agent: *\nDisallow: /3.jpg\n")
    urls = [f"{base(site)}/{n}.jpg" for site in hosts for n in range(12)]
    found = Counter(row["status"] for row in fetch(tmp_path, urls, workers).values())
    assert found == {FetchStatus.OK: 11 * len(hosts), FetchStatus.ROBOTS: len(hosts)}
    assert all(targets(site)[path] == 1 for site in hosts for path in (ROBOTS, "/rules.txt"))


class SlowRules(dict[str, bytes]):
    """Answers that come at once, but for robots.txt; notes when each was asked for."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        super().__init__(answers)
        self.moments: list[float] = []

    def get(self, path: str, default: Any = None) -> Any:
        if path == ROBOTS:
            time.sleep(1)
        else:
            self.moments.append(time.monotonic())
        return super().get(path, default)


def test_what_waited_for_robots_txt_is_not_asked_for_at_once(tmp_path: Path, site: Site) -> None:
    site.answers = answers = SlowRules({f"/{n}.jpg": answer(picture(n)) for n in range(8)})
    rows = fetch(tmp_path, [f"{site.base}/{n}.jpg" for n in range(8)], 1, rate=10)
    assert {row["status"] for row in rows.values()} == {FetchStatus.OK}
    assert {row["attempts"] for row in rows.values()} == {1}
    first, *_, last = sorted(answers.moments)
    assert last - first > 7 / 10 - 0.3  # turns missed within a fifth of a second are made up for


SIZES = st.dictionaries(st.text("abc.", min_size=1, max_size=6), st.integers(1, 1000), max_size=30)


@given(sizes=SIZES, most=st.integers(1, 8))
def test_each_host_has_one_owner_whoever_asks(sizes: dict[str, int], most: int) -> None:
    deal = Deal.of(sizes, most)
    assert 1 <= deal.processes <= max(1, min(most, len(sizes)))
    rows = pa.table({"host": pa.array([name for name in sizes for _ in "ab"], pa.string())})
    shares = [share["host"].to_pylist() for share in deal.shares(rows)]
    assert sorted(name for share in shares for name in share) == sorted([*sizes, *sizes])
    assert all(deal.owner(name) == own for own, share in enumerate(shares) for name in share)
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
