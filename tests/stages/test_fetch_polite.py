"""Each politeness over real HTTP on loopback; what counts is what the server saw."""

import io
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from tests.download.known_urls import known_of
from tests.stages.tempered_server import serving
from webemo_curate import progress
from webemo_curate.config import DecodingConfig, FetchConfig
from webemo_curate.download.journal import Entry, Journal
from webemo_curate.download.outcome import FetchOutcome, better
from webemo_curate.download.record import Record
from webemo_curate.progress import ProgressBar
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.fetch import FetchStage
from webemo_curate.stages.fetch_outcomes import manifest_rows
from webemo_curate.stages.stage import StageContext
from webemo_curate.table_engine import TableEngine
from webemo_curate.verdicts import FetchStatus
from webemo_curate.workspace import Workspace

DAY = {"Retry-After": "86400"}


class Terminal(io.StringIO):
    """Keeps what is drawn on it."""

    def isatty(self) -> bool:
        return True


def fetch(folder: Path, urls: list[str], **options: object) -> dict[str, dict[str, object]]:
    config = FetchConfig.model_validate({"rate": 200, "timeout": 20} | options)
    context = StageContext(Workspace(folder), LocalRunner(1), "test")
    table = FetchStage(config, DecodingConfig()).run({"listing": pa.table({"url": urls})}, context)[
        "fetch"
    ]
    return {row["url"]: row for row in table.to_pylist()}


def statuses(rows: dict[str, dict[str, object]]) -> Counter[object]:
    return Counter(row["status"] for row in rows.values())


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}])
def test_refusals_by_chance_cost_one_request_each(tmp_path: Path, headers: dict[str, str]) -> None:
    refuses = {str(number) for number in range(0, 200, 33)}

    def temper(name: str, times: int) -> tuple[int, dict[str, str]]:
        return (503, headers) if name in refuses and times == 1 else (200, {})

    with serving(temper) as server:
        rows = fetch(tmp_path, server.urls(200), passes=1)
    assert statuses(rows) == {FetchStatus.OK: 200}
    assert Counter(server.seen.values()) == {1: 200 - len(refuses), 2: len(refuses)}


def test_host_that_meters_refuses_few_once_its_rate_is_found(tmp_path: Path) -> None:
    rate, burst = 50.0, 5.0
    tokens, then = burst, time.monotonic()

    def temper(_name: str, _times: int) -> tuple[int, dict[str, str]]:
        nonlocal tokens, then
        now = time.monotonic()
        tokens, then = min(burst, tokens + rate * (now - then)), now
        if tokens < 1:
            return 429, {}
        tokens -= 1
        return 200, {}

    with serving(temper) as server:
        rows = fetch(tmp_path, server.urls(250))
    assert statuses(rows) == {FetchStatus.OK: 250}
    settled = server.answers[len(server.answers) // 3 :]
    assert settled.count(429) / len(settled) < 0.15
    assert len(server.answers) < 250 * 1.35


def test_host_that_is_down_is_asked_a_few_times_then_fetched_whole(tmp_path: Path) -> None:
    began = time.monotonic()

    def temper(_name: str, _times: int) -> tuple[int, dict[str, str]]:
        return (503 if time.monotonic() < began + 4 else 200), {}

    with serving(temper) as server:
        rows = fetch(tmp_path, server.urls(300), passes=1)
    assert statuses(rows) == {FetchStatus.OK: 300}
    assert 8 <= server.answers.count(503) < 25


def test_dead_host_is_given_up_and_no_url_is_lost(tmp_path: Path) -> None:
    with serving(lambda *_: (503, {})) as server:
        urls = server.urls(400)
        rows = fetch(tmp_path, urls, patience=1, passes=2)
        assert statuses(rows) == {FetchStatus.THROTTLED: 400}
        assert {row["http_status"] for row in rows.values()} == {503}
        assert len(server.answers) < 60
        server.temper = lambda *_: (200, {})
        again = fetch(tmp_path, urls, retry_status=["throttled"], rate=5000, placeholder_urls=9999)
    assert statuses(again) == {FetchStatus.OK: 400}


def test_retry_after_of_a_day_stops_neither_its_host_nor_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def one(name: str, _times: int) -> tuple[int, dict[str, str]]:
        return (429, DAY) if name == "3" else (200, {})

    with (
        serving(one) as first,
        serving(lambda *_: (429, DAY)) as second,
        caplog.at_level("INFO", "webemo_curate"),
    ):
        rows = fetch(tmp_path, first.urls(60) + second.urls(300))
    assert statuses(rows) == {FetchStatus.OK: 59, FetchStatus.THROTTLED: 301}
    assert first.seen["3"] == 1
    assert set(first.seen.values()) == {1}
    assert len(second.answers) < 20
    assert "rests 86400 s: Retry-After" in caplog.text
    assert "Retry-After holds" in caplog.text


def test_cut_short_by_its_time_a_url_ends_as_its_last_answer(tmp_path: Path) -> None:
    ends = {"0": (500, {}), "1": (0, {}), "2": (429, {"Retry-After": "30"}), "3": (503, {})}
    with serving(lambda name, _: ends[name]) as server:
        rows = fetch(tmp_path, server.urls(4), timeout=1, retries=20, passes=1)
    found = {url.rsplit("/", 1)[1]: row["status"] for url, row in rows.items()}
    assert found == {
        "0": FetchStatus.SERVER_ERROR,
        "1": FetchStatus.TRUNCATED,
        "2": FetchStatus.THROTTLED,
        "3": FetchStatus.THROTTLED,
    }


@pytest.mark.parametrize("status", [0, 429, 500, 503])
def test_what_failed_for_the_moment_gets_one_more_try(tmp_path: Path, status: int) -> None:
    def temper(name: str, times: int) -> tuple[int, dict[str, str]]:
        return (status if name == "5" and times <= 2 else 200), {}

    with serving(temper) as server:
        once = fetch(tmp_path / "one", server.urls(10), retries=1, passes=1)
        assert statuses(once)[FetchStatus.OK] == 9
        server.seen.clear()
        twice = fetch(tmp_path / "two", server.urls(10), retries=1, patience=2)
    assert statuses(twice) == {FetchStatus.OK: 10}
    assert twice[f"{server.site}/5"]["attempts"] == 3
    segments = sorted((tmp_path / "two").rglob("*.jsonl"))
    lines = [json.loads(line) for segment in segments for line in segment.open()]
    passes = [line["pass"] for line in lines if line.get("url") == f"{server.site}/5"]
    assert passes == [1, 2]


def journaled(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("fetch/*.jsonl"))


def test_kill_in_the_second_pass_resumes_in_it(tmp_path: Path) -> None:
    hangs, go_on = threading.Event(), threading.Event()

    def temper(_name: str, times: int) -> tuple[int, dict[str, str]]:
        if times == 1:
            return 500, {}
        if server.seen.total() == 8 and not go_on.is_set():  # the second pass, its second URL
            hangs.set()
            server.changing.release()
            go_on.wait(60)
            server.changing.acquire()
        return 200, {}

    with serving(temper) as server:
        listed = tmp_path / "list.txt"
        listed.write_text("".join(f"{url} 3\n" for url in server.urls(6)))
        command = [
            *(str(Path(sys.executable).with_name("curate")), "fetch", "--lists", str(listed)),
            *("--workspace", str(tmp_path / "ws"), "--retries", "0", "--concurrency", "1"),
            *("--patience", "2"),
        ]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        assert hangs.wait(60)
        while b'"status": "ok"' not in journaled(tmp_path):  # it is looked at by another process
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        go_on.set()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    rows = Workspace(tmp_path / "ws").read("fetch").to_pylist()
    assert Counter(row["status"] for row in rows) == {FetchStatus.OK: 6}
    # Six failed once; one was well before the kill, one was cut off by it and asked for again.
    assert sorted(server.seen.values()) == [2, 2, 2, 2, 2, 3]


def test_later_pass_counts_unless_only_the_earlier_was_answered() -> None:
    answered = FetchOutcome("u", FetchStatus.SERVER_ERROR, 500, "HTTP 500", attempts=2)
    silent = FetchOutcome("u", FetchStatus.TIMEOUT, attempts=1)
    found = FetchOutcome("u", FetchStatus.OK, 200, attempts=1)
    assert better(None, silent) is silent
    assert better(answered, silent).status is FetchStatus.SERVER_ERROR
    assert better(answered, silent).attempts == 3
    assert better(silent, answered).status is FetchStatus.SERVER_ERROR
    assert better(answered, found).status is FetchStatus.OK


def test_passes_and_patience_leave_the_fingerprint_alone() -> None:
    assert FetchConfig(passes=3, patience=9).fingerprint() == FetchConfig().fingerprint()


def test_progress_line_says_which_host_is_slow_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "webemo_curate")
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(progress, "SHOW_AFTER_SECONDS", 0)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("LINES", "50")
    bar = ProgressBar(2, "fetch", "URL")
    journal = Journal(Workspace(tmp_path).store, "journal")
    with journal:
        record = Record(known_of(tmp_path, ["u"]), journal, bar)
        record.add(FetchOutcome("u", FetchStatus.OK, 200, bytes=2**20))
        record.show(["a 5.1/s of 20, refuses 12%", "b rests 58 s: Retry-After", "c", "d"])
    assert "ok=1, MB=1, a 5.1/s of 20, refuses 12%, b rests 58 s: Retry-After, 2 more" in (
        shown.getvalue()
    )


def test_journal_without_pass_numbers_is_read_as_of_the_first(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with Journal(workspace.store, "journal") as journal:
        journal.add(Entry(FetchOutcome("u", FetchStatus.TIMEOUT), 2))
    path = next((tmp_path / "journal").iterdir())
    entries = Journal(workspace.store, "journal").read()
    assert [(entry.number, entry.is_settled) for entry in entries] == [(2, False)]
    settings, line = map(json.loads, path.read_text().splitlines())
    del line["pass"]
    path.write_text(f"{json.dumps(settings)}\n{json.dumps(line)}\n")
    assert [entry.number for entry in Journal(workspace.store, "journal").read()] == [1]


def test_picture_that_many_hosts_have_is_no_placeholder(tmp_path: Path) -> None:
    same = [FetchOutcome(f"http://h{n}.example/x", FetchStatus.OK, sha256="a") for n in range(20)]
    stand_ins = [
        FetchOutcome(f"http://one.example/{n}", FetchStatus.OK, sha256="b") for n in range(10)
    ]
    known = known_of(tmp_path, [outcome.url for outcome in same + stand_ins])
    for outcome in same + stand_ins:
        known.put(Entry(outcome, 1))
    with TableEngine(tmp_path, {"outcomes": known.table()}) as engine:
        marked = manifest_rows(engine, 10)
    assert Counter(marked["status"].to_pylist()) == {
        FetchStatus.OK: 20,
        FetchStatus.PLACEHOLDER: 10,
    }
