"""Compare the local runner with Ray on this machine: overhead a batch, in total, on real photos.

    python -m benchmarks.engines PHOTOS [--rows 20000] [--batches 10 100 1000] [--images 2000]

The overhead is that of a worker that does next to nothing. The real work is the images stage
(decoding and hashing) over PHOTOS, read over and over. Every run is a process of its own; its time
includes starting workers, and Ray's cluster.
"""

import argparse
import hashlib
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from benchmarks.measure import MEGABYTE, Cost, run
from benchmarks.photo_ocr import repeated
from webemo_curate.config import DecodingConfig, PipelineConfig, RunnerConfig
from webemo_curate.runner.factory import make_runner
from webemo_curate.runner.job import Job, Worker
from webemo_curate.stages.images import ImagesWorker
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore
from webemo_curate.storage.image_files import ImageFiles

ENGINES = ("local", "ray")
WORKERS = (1, 2)
IMAGES_PARTITION = 100
SCHEMA = pa.schema([("value", pa.int64())])

ONE = """
import sys
from benchmarks.runners import run_one
run_one(*sys.argv[1:])
"""


@dataclass(frozen=True)
class Idler:
    """Returns what it gets; see `runner.job.Worker`."""

    output_schema = SCHEMA

    def setup(self) -> None:
        """Do nothing: there is nothing to load."""

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the batch."""
        return batch


def run_one(kind: str, workers: str, task: str, rows: str, partition: str, photos: str) -> None:
    """Run one job on one runner, in this process."""
    runner = make_runner(
        PipelineConfig(runner=RunnerConfig(kind=kind), workers=int(workers))  # type: ignore[arg-type]
    )
    table, worker = _idle(int(rows)) if task == "idle" else _images(Path(photos), int(rows))
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Checkpoints(FolderStore(Path(folder)), "checkpoints")
        runner.run(Job(task, worker, table, checkpoints, int(partition)))


def _idle(rows: int) -> tuple[pa.Table, Worker]:
    return pa.table({"value": pa.array(range(rows), pa.int64())}), Idler()


def _images(photos: Path, count: int) -> tuple[pa.Table, Worker]:
    hashes = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in photos.iterdir()}
    rows = [
        {
            "sha256": hashes[path],
            "path": str(path),
            "bytes": path.stat().st_size,
            "place": str(path.absolute()),
        }
        for path in repeated(photos, count)
    ]
    return pa.Table.from_pylist(rows), ImagesWorker(
        ImageFiles(Path("/")), DecodingConfig().max_pixels
    )


def _cost(kind: str, workers: int, task: str, rows: int, partition: int, photos: Path) -> Cost:
    arguments = [kind, str(workers), task, str(rows), str(partition), str(photos)]
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        return run([sys.executable, "-c", ONE, *arguments], Path(log.name))


def show_overhead(rows: int, partitions: list[int], photos: Path) -> None:
    """Print what an runner costs where the work costs nothing."""
    nothing = {kind: _cost(kind, 2, "idle", 1, 1, photos).seconds for kind in ENGINES}
    print(f"one row: local {nothing['local']:.1f} s, ray {nothing['ray']:.1f} s")
    for partition in partitions:
        spent = {kind: _cost(kind, 2, "idle", rows, partition, photos) for kind in ENGINES}
        batches = -(-rows // partition)
        each = {
            kind: (cost.seconds - nothing[kind]) / batches * 1000 for kind, cost in spent.items()
        }
        ratio = spent["ray"].seconds / spent["local"].seconds
        print(
            f"{batches:5} batches of {partition:5}: local {each['local']:.2f} ms a batch, "
            f"ray {each['ray']:.2f} ms; in all ray / local {ratio:.2f}",
            flush=True,
        )


def show_images(photos: Path, images: int) -> None:
    """Print rates and memory of the images stage."""
    first = 0.0
    for kind in ENGINES:
        for workers in WORKERS:
            cost = _cost(kind, workers, "images", images, IMAGES_PARTITION, photos)
            rate = images / cost.seconds
            first = first or rate
            print(
                f"{kind:<6} {workers} workers: {rate:6.0f} images/s, ratio {rate / first:.2f}, "
                f"{cost.cpu_seconds / images * 1000:5.1f} CPU-ms an image, "
                f"{cost.peak_bytes / MEGABYTE:6.0f} MB",
                flush=True,
            )


def main() -> None:
    """Run both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--batches", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--images", type=int, default=2000)
    arguments = parser.parse_args()
    started = time.monotonic()
    show_overhead(arguments.rows, arguments.batches, arguments.photos)
    show_images(arguments.photos, arguments.images)
    print(f"took {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
