"""Measure what the process that deals out URLs holds, step by step, without any request.

    python -m benchmarks.fetch_memory --urls 10000000

*Own* memory is what the system cannot take back; mapped files come besides, which it drops when it
needs the room. `--failing` lets all URLs fail, and makes the queues of a second pass.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from benchmarks.measure import MEGABYTE
from webemo_curate.config import FetchConfig
from webemo_curate.download.addresses import mirrored
from webemo_curate.download.deal import Deal
from webemo_curate.download.fleet import URLS_A_MESSAGE
from webemo_curate.download.journal import Entry
from webemo_curate.download.known import Known
from webemo_curate.download.listed_urls import THREADS, ListedUrls
from webemo_curate.download.outcome import FetchOutcome
from webemo_curate.download.queue_maker import QueueMaker
from webemo_curate.download.queues import Queues
from webemo_curate.manifest import Origin
from webemo_curate.stages.fetch import ORDER_SEED, OUTCOME_SORTING_BYTES
from webemo_curate.stages.fetch_outcomes import manifest_rows
from webemo_curate.table_engine import TableEngine, spilled
from webemo_curate.verdicts import FetchStatus
from webemo_curate.workspace import Workspace

HOSTS = 1000
BATCH = 65_536
SAMPLE_SECONDS = 0.05
LISTED = pa.schema([("url", pa.string())])


class Growth:
    """Prints the most own memory of each step, what is left of it, and what is mapped."""

    def __init__(self) -> None:
        self._peak, self._whole = 0, 0
        self._began = time.monotonic()
        threading.Thread(target=self._watch, daemon=True).start()

    def say(self, step: str) -> None:
        """Print the step that has ended."""
        own, mapped = _memory()
        most = max(self._peak, own)
        self._whole = max(self._whole, most)
        seconds = time.monotonic() - self._began
        print(
            f"{step:28} {seconds:6.1f} s {most / MEGABYTE:6.0f} MB of its own at most, "
            f"then {own / MEGABYTE:6.0f} MB; {mapped / MEGABYTE:6.0f} MB mapped",
            flush=True,
        )
        self._peak, self._began = 0, time.monotonic()

    def end(self) -> None:
        """Print the most of all steps."""
        print(f"in all at most {self._whole / MEGABYTE:.0f} MB of its own")

    def _watch(self) -> None:
        while True:
            self._peak = max(self._peak, _memory()[0])
            time.sleep(SAMPLE_SECONDS)


def _memory() -> tuple[int, int]:
    """Return the bytes of own memory and of mapped files that are resident."""
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    sizes = {words[0]: int(words[1]) * 1024 for words in lines if words[0].startswith("Rss")}
    return sizes["RssAnon:"] + sizes["RssShmem:"], sizes["RssFile:"]


def main() -> None:
    """List URLs, queue them, note made-up outcomes, write the manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--urls", type=int, default=1_000_000)
    parser.add_argument("--failing", action="store_true", help="all URLs fail in the first pass")
    parser.add_argument("--folder", type=Path, help="where to work; default: the system's")
    arguments = parser.parse_args()
    growth = Growth()
    growth.say("the program")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        listing = spilled(Path(name), LISTED, _listed(arguments.urls))
        growth.say("a list on the disk")
        _fetch(Path(name), listing, growth, failing=arguments.failing)
    growth.end()


def _fetch(root: Path, listing: pa.Table, growth: Growth, *, failing: bool) -> None:
    with TableEngine(root, {"listing": listing}, OUTCOME_SORTING_BYTES, THREADS) as engine:
        urls = ListedUrls(engine, ORDER_SEED, "fetch")
    growth.say("URLs in hash order")
    known = Known(urls, root)
    maker = QueueMaker(root, OUTCOME_SORTING_BYTES, known, lambda url: mirrored(url, None), print)
    queues = maker.make(known.due(1), 1, {})
    growth.say("queues of the hosts")
    for number, url in enumerate(url for _, there in urls.chosen(known.due(1)) for url in there):
        known.put(Entry(_failed(url) if failing else _found(url, number), 1))
    growth.say("outcomes")
    if failing:
        queues = maker.make(known.due(2), 2, {})
        growth.say("queues of the second pass")
    _deal_out(root, queues)
    growth.say("half of them in a process")
    made = {"outcomes": known.table()}
    del urls, known, maker, queues
    with TableEngine(root, made, OUTCOME_SORTING_BYTES, THREADS) as engine:
        found = manifest_rows(engine, FetchConfig().placeholder_urls)
    growth.say("rows of the manifest")
    Workspace(root).write("fetch", found, Origin("fetch", 1, {}, {}))
    growth.say("its file")


def _listed(count: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, count, BATCH):
        numbers = range(start, min(count, start + BATCH))
        urls = [f"http://h{n % HOSTS}.example/jpg/220_F_{n:08}_x.jpg" for n in numbers]
        yield pa.record_batch([pa.array(urls)], LISTED)


def _found(url: str, number: int) -> FetchOutcome:
    now = datetime.now(UTC)
    return FetchOutcome(
        *(url, FetchStatus.OK, 200, None, 1, now, now, number, "image/jpeg"),
        *(url, f"{number * 0x9E3779B97F4A7C15 % 2**64:064x}", ".jpg"),
    )


def _failed(url: str) -> FetchOutcome:
    now = datetime.now(UTC)
    return FetchOutcome(url, FetchStatus.TIMEOUT, None, "operation timedout", 3, now, now)


def _deal_out(root: Path, queues: Queues) -> None:
    """Do what a process of two does with its URLs: take them as messages, and look at each host."""
    names = [f"h{n}.example" for n in range(HOSTS)]
    deal = Deal(2, {name: place % 2 for place, name in enumerate(names)})
    slices = range(0, queues.rows.num_rows, URLS_A_MESSAGE)
    shares = (deal.shares(queues.rows.slice(start, URLS_A_MESSAGE))[0] for start in slices)
    held = [Queues.spilled(root, share.drop_columns(["place"])) for share in shares]
    opened = [queue for part in held for _, queue in part.hosts()]
    assert sum(len(queue) for queue in opened) == sum(map(len, held))
    for queue in opened:
        queue.take()


if __name__ == "__main__":
    main()
