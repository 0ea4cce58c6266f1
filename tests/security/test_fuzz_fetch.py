"""What hosts and journals may hold: any bytes; nothing is raised, and no nonsense believed."""

import json
import signal
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.download.site import Site, answer, fetch, picture, running
from webemo_curate.download.answers import retry_after
from webemo_curate.download.journal import Entry, Journal
from webemo_curate.download.outcome import MAX_RETRY_AFTER, AttemptError, Body
from webemo_curate.download.robots import MAX_ROBOTS_BYTES, read_robots
from webemo_curate.storage.folder import FolderStore
from webemo_curate.verdicts import FetchStatus

AGENT = "webemo-curate"
FILES = settings(max_examples=60, deadline=None)
DIGITS = "9" * 5000

ROBOTS_LINES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"Disallow: //[",
            b"Crawl-delay: " + DIGITS.encode(),
            "Request-rate: ²/1".encode(),
            b"Request-rate: 1/0",
            b"User-agent: webemo-curate",
            b"User-agent: *",
            b"Disallow: /*$*$?%",
            b"Allow: http://[::1",
            b"Sitemap: //[",
            b"\xff\xfe\x00",
        ]
    ),
)


@FILES
@given(st.lists(ROBOTS_LINES, max_size=20).map(b"\n".join), st.text(max_size=20))
@example(b"User-agent: *\nDisallow: //[\nCrawl-delay: " + DIGITS.encode(), "/x")
def test_any_bytes_are_a_robots_txt(content: bytes, path: str) -> None:
    rules = read_robots(content, AGENT)
    assert rules.allows(f"http://a.example/{path}") in (True, False)


@FILES
@given(st.binary(max_size=200) | st.sampled_from([b"\r", b"\n", b"x"]), st.integers(-3, 3))
def test_a_long_robots_txt_is_cut_at_the_end_of_a_line(tail: bytes, more: int) -> None:
    rule = b"User-agent: *\nDisallow: /a\n"
    filling = b"#" * (MAX_ROBOTS_BYTES - len(rule) - 1 + more) + b"\n"
    last = b"Disallow: /beyond" + tail
    rules = read_robots(rule + filling + last, AGENT)
    assert not rules.allows("http://a.example/a")
    fits = len(rule + filling + last) <= MAX_ROBOTS_BYTES
    assert fits or rules.allows("http://a.example/beyond"), "no half of a line is a rule"


def test_a_long_robots_txt_means_the_same_every_time(tmp_path: Path) -> None:
    lines = [b"User-agent: *", *[b"Disallow: /%07d" % number for number in range(60_000)]]
    with running() as site:
        site.answers = {"/robots.txt": answer(b"\n".join(lines))}
        names = [f"/{number:07d}" for number in (1, 20_000, 26_000, 50_000)]
        site.answers |= {name: answer(picture()) for name in names}
        urls = [site.base + name for name in names]
        for run in range(3):
            rows = fetch(tmp_path / str(run), urls)
            statuses = [rows[url]["status"] for url in urls]
            assert statuses == ["robots", "robots", "robots", "ok"], "beyond the bound it is left"


@FILES
@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")))
@example("\xb2")
@example(DIGITS)
@example("Fri, 31 Dec 99999 23:59:59 GMT")
@example("Fri, 31 Dec 9999 23:59:59 -2359")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
def test_any_retry_after_is_a_time_or_absent(value: str) -> None:
    seconds = retry_after(value)
    assert seconds is None or seconds >= 0
    held = AttemptError(FetchStatus.THROTTLED, "", 429, seconds).retry_after
    assert held is None or 0 <= held <= MAX_RETRY_AFTER


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
FIELDS = ["url", "status", "sha256", "suffix", "bytes", "attempts", "started", "pass", "decided_by"]
LINES = st.one_of(
    st.binary(max_size=60),
    st.dictionaries(st.sampled_from([*FIELDS, "unsettled_before_this_line"]), JSON).map(
        lambda row: json.dumps(row | {"url": "u", "status": "ok"}).encode()
    ),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.just(b'{"unsettled_before_this_line": ' + DIGITS.encode() + b"}"),
    st.just(b"[" * 100_000),
    st.just(b'{"url": "u", "status": "ok", "sha256": "../../x", "suffix": ".jpg"}'),
)
NUMBERS = count()


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(LINES, max_size=8))
def test_any_bytes_are_a_journal(tmp_path: Path, lines: list[bytes]) -> None:
    folder = tmp_path / str(next(NUMBERS)) / "journal"
    folder.mkdir(parents=True)
    (folder / "000000-x.jsonl").write_bytes(b"\n".join(lines))
    for entry in Journal(FolderStore(folder.parent), "journal").read():
        assert isinstance(entry, Entry)
        assert isinstance(entry.outcome.url, str)
        assert entry.outcome.status in set(FetchStatus)
        assert entry.outcome.sha256 is None or len(entry.outcome.sha256) == 64


def test_a_run_goes_on_from_a_journal_of_nonsense(tmp_path: Path, site: Site) -> None:
    site.answers = {"/a.jpg": answer(picture())}
    folder = tmp_path / "data/checkpoints/fetch"
    folder.mkdir(parents=True)
    url = f"{site.base}/a.jpg"
    lines = [
        b'{"decided_by": {"max_bytes": "x", "ignore_robots": [1]}}',
        b'{"url": "%s", "status": "not_found"}' % url.encode(),
        b'{"url": "%s", "status": "ok", "sha256": "../../x", "suffix": ".jpg"}' % url.encode(),
        b"\xff\x00",
    ]
    (folder / "000000-x.jsonl").write_bytes(b"\n".join(lines))
    assert fetch(tmp_path, [url])[url]["status"] == FetchStatus.OK


def test_what_one_url_raises_is_its_outcome_alone(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def body_of(response: object, *_: object) -> Body:
        if getattr(response, "url", "").endswith("/odd.jpg"):
            raise ZeroDivisionError("nobody expects it")
        return Body(picture(), 200, None, "")

    monkeypatch.setattr("webemo_curate.download.client.body_of", body_of)
    site.answers = {f"/{name}.jpg": answer(picture()) for name in ("a", "odd", "b")}
    urls = [f"{site.base}/{name}.jpg" for name in ("a", "odd", "b")]
    rows = fetch(tmp_path, urls, passes=1)
    assert [rows[url]["status"] for url in urls] == ["ok", "internal_error", "ok"]
    assert str(rows[urls[1]]["error_class"]).startswith("ZeroDivisionError: nobody expects it")


def test_signals_interrupt_no_request(tmp_path: Path, site: Site) -> None:
    seen = count()
    before = signal.signal(signal.SIGALRM, lambda *_: next(seen))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        site.answers = {f"/{number}.jpg": answer(picture(number)) for number in range(40)}
        urls = [site.base + path for path in site.answers]
        rows = fetch(tmp_path, urls, passes=1)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert {row["status"] for row in rows.values()} == {FetchStatus.OK}
    assert next(seen) > 5, "system calls were interrupted"
