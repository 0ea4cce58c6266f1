"""URLs and outcomes on the disk say what lists and dictionaries of them would say."""

from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.download.known_urls import known_of
from webemo_curate import table_engine
from webemo_curate.download import host_queue, outcome_rows
from webemo_curate.download.host_queue import HostQueue
from webemo_curate.download.journal import Entry
from webemo_curate.download.listed_urls import ListedUrls
from webemo_curate.download.outcome import RETRIED, FetchOutcome
from webemo_curate.download.queue_maker import QueueMaker
from webemo_curate.download.queues import Queues
from webemo_curate.download.visit import Visit
from webemo_curate.sampling import hash_order
from webemo_curate.stages.fetch_outcomes import manifest_rows
from webemo_curate.table_engine import TableEngine
from webemo_curate.verdicts import FetchStatus

MEMORY = 64 * 2**20
URLS = [f"http://{host}.example/{n}.jpg" for host in "abc" for n in range(6)]
STATUSES = [FetchStatus.OK, FetchStatus.GONE, *sorted(RETRIED)]

several = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut everything into small parts, as a long list is cut."""
    monkeypatch.setattr(table_engine, "ROW_GROUP_ROWS", 4)
    monkeypatch.setattr(outcome_rows, "ROWS", 3)
    monkeypatch.setattr(host_queue, "WINDOW", 2)


def drained(queue: HostQueue) -> list[Visit]:
    return [queue.take() for _ in range(len(queue))]


@several
@given(urls=st.lists(st.sampled_from(URLS), min_size=1), limit=st.none() | st.integers(1, 9))
def test_hash_order_is_that_of_hash_order(
    tmp_path: Path, urls: list[str], limit: int | None
) -> None:
    with TableEngine(tmp_path, {"listing": pa.table({"url": urls})}, MEMORY) as engine:
        listed = ListedUrls(engine, 0, "fetch", limit)
    distinct = sorted(set(urls))
    numbers = hash_order(0, "fetch", distinct).tolist()
    expected = [url for _, url in sorted(zip(numbers, distinct, strict=True))][:limit]
    whole = ~listed.mask([])
    assert [url for _, there in listed.chosen(whole) for url in there] == expected
    assert [listed.place(url) for url in expected] == list(range(len(expected)))
    assert listed.place("http://elsewhere.example/") is None


@several
@given(
    found=st.lists(st.tuples(st.sampled_from(URLS), st.sampled_from(STATUSES)), max_size=25),
    number=st.integers(1, 3),
)
def test_a_pass_asks_for_what_the_rules_say_in_the_lists_order(
    tmp_path: Path, found: list[tuple[str, FetchStatus]], number: int
) -> None:
    known = known_of(tmp_path, URLS)
    outcomes: dict[str, Entry] = {}
    for place, (url, status) in enumerate(found):
        entry = Entry(FetchOutcome(url, status, attempts=place), 1 + place % 2)
        earlier = known.put(entry)
        assert earlier == (outcomes[url].outcome.status if url in outcomes else None)
        outcomes[url] = entry
    in_order = [url for _, there in known.urls.chosen(~known.urls.mask([])) for url in there]
    if number == 1:
        due = [url for url in in_order if url not in outcomes]
    else:
        failed = {u for u, e in outcomes.items() if e.outcome.status in RETRIED}
        due = [url for url in in_order if url in failed and outcomes[url].number < number]
    maker = QueueMaker(tmp_path, MEMORY, known, lambda url: url, lambda _: None)
    queues = maker.make(known.due(number), number, {})
    by_host = {name: drained(queue) for name, queue in queues.hosts()}
    sizes = Counter(urlsplit(url).hostname for url in due)
    assert maker.largest(queues, 9) == sizes
    assert [*by_host] == sorted(sizes, key=lambda name: (-sizes[name], str(name)))
    for name, visits in by_host.items():
        assert [visit.url for visit in visits] == [u for u in due if urlsplit(u).hostname == name]
        for visit in visits:
            earlier = None if number == 1 else outcomes[visit.url].outcome
            assert visit.earlier == earlier == known.outcome(visit.url)


def test_held_urls_wait_or_are_left_out(tmp_path: Path) -> None:
    known = known_of(tmp_path, URLS)
    for url in URLS:
        known.put(Entry(FetchOutcome(url, FetchStatus.THROTTLED), 1))
    maker = QueueMaker(tmp_path, MEMORY, known, lambda url: url, lambda _: None)
    held = {URLS[0]: 5.0, URLS[1]: 70.0, "http://elsewhere.example/": 5.0}
    queues = maker.make(known.due(2), 2, held, 60.0)
    assert [(name, visit.url, visit.spent) for name, visit in queues.held] == [
        ("a.example", URLS[0], 5.0)
    ]
    assert queues.held[0].visit.earlier == FetchOutcome(URLS[0], FetchStatus.THROTTLED)
    there = {visit.url for _, queue in queues.hosts() for visit in drained(queue)}
    assert there == set(URLS[2:])
    assert len(queues) == len(URLS) - 1


def test_queues_in_memory_are_those_on_the_disk(tmp_path: Path) -> None:
    def read(queues: Queues) -> dict[str, list[str]]:
        return {name: [visit.url for visit in drained(q)] for name, q in queues.hosts()}

    urls = [*URLS, "http://d.example/1", "ftp://x"]
    sunk: list[FetchOutcome] = []
    plain = Queues.of(URLS, lambda url: url, sunk.append, {}, 60.0)
    assert read(plain) == read(Queues.spilled(tmp_path, plain.rows))
    assert read(plain) == {f"{h}.example": [u for u in urls if f"//{h}." in u] for h in "abc"}


@several
@given(
    found=st.lists(
        st.tuples(st.sampled_from(URLS), st.sampled_from("wxyz"), st.booleans()), max_size=30
    ),
    threshold=st.integers(1, 4),
)
def test_the_manifests_rows_follow_from_the_outcomes(
    tmp_path: Path, found: list[tuple[str, str, bool]], threshold: int
) -> None:
    known = known_of(tmp_path, URLS)
    before: dict[str, FetchOutcome] = {}
    last: dict[str, FetchOutcome] = {}
    for place, (url, picture, is_old) in enumerate(found):
        outcome = FetchOutcome(url, FetchStatus.OK, attempts=place, sha256=picture, suffix=".jpg")
        if is_old and url not in before and url not in last:
            stands = place % 2 == 0
            known.put_row(outcome, stands=stands)
            before[url] = outcome
            last |= {url: outcome} if stands else {}
        else:
            known.put(Entry(outcome, 1))
            last[url] = outcome
    rows = {}
    for url, outcome in last.items():
        old = before.get(url)
        rows[url] = old if old and old.sha256 == outcome.sha256 else outcome
    shared = Counter((urlsplit(url).hostname, row.sha256) for url, row in rows.items())
    stand_ins = {picture for (_, picture), times in shared.items() if times >= threshold}
    with TableEngine(tmp_path, {"outcomes": known.table()}, MEMORY) as engine:
        table = manifest_rows(engine, threshold)
    made = [(row["url"], row["attempts"], row["status"]) for row in table.to_pylist()]
    assert made == [
        (url, rows[url].attempts, "placeholder" if rows[url].sha256 in stand_ins else "ok")
        for url in sorted(rows)
    ]
