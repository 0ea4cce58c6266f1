"""What `curate rebuild` costs beside fetching: comparing, storing, writing the splits.

`python -m benchmarks.rebuild WORK [--images 2000] [--changed 0.1]`. A host on loopback, in a
process of its own, serves a released set of noise pictures, a share of them re-encoded. The time in
the fetch stage is held against all the rest.
"""

import argparse
import io
import multiprocessing
import time
from multiprocessing.connection import Connection
from pathlib import Path

from PIL import Image

from benchmarks.measure import MEGABYTE
from tests.download.site import answer, running
from tests.exports.shared_set import HOST, SECOND_URL, TWICE, Drawn, drawn, fill
from webemo_curate.config import ExportConfig, PipelineConfig, override
from webemo_curate.releases import finding
from webemo_curate.releases.rebuild import rebuild
from webemo_curate.releases.release import release
from webemo_curate.runner.work_context import WorkContext
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--changed", type=float, default=0.1)
    given = parser.parse_args()
    pictures = drawn(given.images)
    workspace = fill(Workspace(given.work / "ws"), pictures)
    release(workspace, given.work / "release", ExportConfig(license="unknown"))
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(pictures, given.changed, there))
    server.start()
    fetching = 0.0
    stage = finding.FetchStage

    class Timed(stage):  # type: ignore[misc, valid-type]
        def run(self, *arguments: object) -> object:
            nonlocal fetching
            started = time.perf_counter()
            result = super().run(*arguments)
            fetching += time.perf_counter() - started
            return result

    finding.FetchStage = Timed
    fetch = {"mirror": here.recv(), "rate": 100_000, "ignore_robots": True, "concurrency": 32}
    config = override(PipelineConfig(), {"fetch": fetch})
    started = time.perf_counter()
    work = WorkContext(Workspace(given.work / "rebuilt"), config)
    rebuilt = rebuild(given.work / "release", work)
    rest = time.perf_counter() - started - fetching
    server.terminate()
    size = sum(len(one.content) for one in pictures) / MEGABYTE
    print(f"{rebuilt.outcomes}, {size:.1f} MB: the rest costs {rest / fetching:.2f} of fetching")


if __name__ == "__main__":
    main()
