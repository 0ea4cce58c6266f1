"""Measure what the process that deals out URLs holds for each of them, without any request.

python -m benchmarks.fetch_memory --urls 1000000
"""

import argparse
from datetime import UTC, datetime

import psutil
import pyarrow as pa

from benchmarks.measure import MEGABYTE
from webemo_curate.config import DecodingConfig, FetchConfig
from webemo_curate.download.addresses import mirrored
from webemo_curate.download.journal import Entry
from webemo_curate.download.outcome import FetchOutcome
from webemo_curate.download.queues import queued
from webemo_curate.download.record import Known
from webemo_curate.stages.fetch import FetchStage
from webemo_curate.verdicts import FetchStatus

HOSTS = 1000


class Growth:
    """Prints how much memory each step added.

    Parameters
    ----------
    urls : int
        Number of URLs.
    """

    def __init__(self, urls: int) -> None:
        self._urls, self._before = urls, psutil.Process().memory_info().rss

    def say(self, step: str) -> None:
        """Print what was added since the last step."""
        now = psutil.Process().memory_info().rss
        added = (now - self._before) / self._urls
        print(f"{step:24} {added:6.0f} bytes a URL, {now / MEGABYTE:7.0f} MB in all")
        self._before = now


def main() -> None:
    """Hold a listing, its queues and made-up outcomes, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--urls", type=int, default=1_000_000)
    count: int = parser.parse_args().urls
    growth = Growth(count)
    listed = pa.array(f"http://h{n % HOSTS}.example/jpg/220_F_{n:08}_x.jpg" for n in range(count))
    growth.say("the listing's column")
    stage = FetchStage(FetchConfig(), DecodingConfig())
    table = pa.table({"url": listed})
    urls = stage._selected(table["url"].unique().to_pylist())
    growth.say("URLs in hash order")
    queues = queued(urls, lambda url: mirrored(url, None), print)
    growth.say(f"queues of {len(queues)} hosts")
    known, now = Known([], []), datetime.now(UTC)
    for number, url in enumerate(urls):
        shown, sha256 = str(url), f"{number:064x}"
        outcome = FetchOutcome(
            *(url, FetchStatus.OK, 200, None, 1, now, now, number, "image/jpeg"),
            *(shown, sha256, ".jpg"),
        )
        known.put(Entry(outcome, 1))
    growth.say("outcomes")


if __name__ == "__main__":
    main()
