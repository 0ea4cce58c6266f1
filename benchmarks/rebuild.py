"""Measure the cost of `curate rebuild` beside fetching: comparing, storing, writing the splits.

`python -m benchmarks.rebuild WORK [--images 2000] [--changed 0.1] [--check-only]`. A host on
loopback, in a process of its own, serves a released set of noise pictures, a share of them
re-encoded. The time in the fetch stage is held against all the rest, part by part.
"""

import argparse
import io
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

from PIL import Image

from benchmarks.measure import MEGABYTE
from tests.download.site import answer, running
from tests.exports.shared_set import HOST, SECOND_URL, TWICE, Drawn, drawn, fill
from webemo_curate.config import ExportConfig, PipelineConfig, override
from webemo_curate.releases import finding
from webemo_curate.releases import rebuild as rebuilding
from webemo_curate.releases.rebuild import rebuild
from webemo_curate.releases.release import release
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.stages.fetch import FetchStage
from webemo_curate.storage.folder import FolderStore
from webemo_curate.workspace import Workspace


def re_encoded(content: bytes) -> bytes:
    stream = io.BytesIO()
    Image.open(io.BytesIO(content)).convert("RGB").save(stream, "JPEG", quality=80)
    return stream.getvalue()


def serve(pictures: list[Drawn], changed: float, told: Connection) -> None:
    """Serve the pictures until the process is ended."""
    with running() as site:
        for one in pictures:
            changes = one.number % 100 < 100 * changed
            content = re_encoded(one.content) if changes else one.content
            site.answers[f"/{one.number}{one.suffix}"] = answer(content)
        site.answers[SECOND_URL.removeprefix(HOST)] = answer(pictures[TWICE].content)
        told.send(site.base)
        time.sleep(10**6)


PARTS = (
    ("fetching", FetchStage, "run"),
    ("decoding what changed", finding, "look_at"),
    ("storing and writing splits", rebuilding, "_enter"),
    ("removing what was not kept", FolderStore, "remove"),
)
"""What is timed, and where it is done; the rest is reading the release, comparing, reporting."""


@contextmanager
def timed(seconds: Counter[str]) -> Iterator[None]:
    """Add up the time in each part while the block runs."""

    def around(part: str, work: Any) -> Any:
        def measured(*given: object, **named: object) -> object:
            started = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                seconds[part] += time.perf_counter() - started

        return measured

    with ExitStack() as stack:
        for part, place, name in PARTS:
            stack.enter_context(patch.object(place, name, around(part, getattr(place, name))))
        started = time.perf_counter()
        yield
        seconds["all else"] = time.perf_counter() - started - seconds.total()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--changed", type=float, default=0.1)
    parser.add_argument("--check-only", action="store_true")
    given = parser.parse_args()
    pictures = drawn(given.images)
    workspace = fill(Workspace(given.work / "ws"), pictures)
    release(workspace, given.work / "release", ExportConfig(license="unknown"))
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(pictures, given.changed, there))
    server.start()
    fetch = {"mirror": here.recv(), "rate": 100_000, "ignore_robots": True, "concurrency": 32}
    work = WorkContext(
        Workspace(given.work / "rebuilt"), override(PipelineConfig(), {"fetch": fetch})
    )
    seconds: Counter[str] = Counter()
    with timed(seconds):
        rebuilt = rebuild(given.work / "release", work, check_only=given.check_only)
    server.terminate()
    show(rebuilt.outcomes, sum(len(one.content) for one in pictures), seconds)


def show(outcomes: dict[str, int], size: int, seconds: Counter[str]) -> None:
    """Print each part's time as a share of that of fetching, and all of them together."""
    fetching = seconds.pop("fetching")
    print(f"{outcomes}, {size / MEGABYTE:.1f} MB")
    for part, spent in seconds.most_common():
        print(f"{part:<28}{spent / fetching:>6.3f} of fetching")
    print(f"{'all but fetching':<28}{seconds.total() / fetching:>6.3f}")


if __name__ == "__main__":
    main()
