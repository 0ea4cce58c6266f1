"""Time a text detector on a GPU from files to rows, and count rows that differ by their order."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.gpu.watch import rate
from benchmarks.photo_ocr import photo_rows
from webemo_curate.ocr.detector import TextDetector
from webemo_curate.ocr.feeding.fed_worker import FedWorker
from webemo_curate.stages.ocr import OcrWorker, fed
from webemo_curate.storage.image_files import ImageFiles

THUMBNAILS = 220_854
"""WEBEmo's images, whose minutes are projected."""
MAX_PASSES = 8
TIMED_ROWS = 2048
"""Rows of a timed pass, which is repeated while there is time."""


def files_to_rows(
    arguments: argparse.Namespace,
    detector: TextDetector,
    name: str,
    seen: Callable[[pa.Table], None],
) -> None:
    """Measure a detector from files to rows; `seen` is given the rows of the first pass."""
    begun = time.monotonic()
    rows = photo_rows(arguments.photos, arguments.images)
    with _working(arguments, detector) as worker:
        print(f"{name}: networks loaded after {time.monotonic() - begun:.1f} s", flush=True)
        first = _pass(worker, rows)
        print(f"{name}: the first pass ended after {time.monotonic() - begun:.1f} s", flush=True)
        _print_graphs(worker)
        seen(first)
        left = arguments.seconds - (time.monotonic() - begun)
        found, order = _timed(arguments, worker, rows, 0.5 * left, name)
        _print_graphs(worker)
    again = found.take(pa.array(np.argsort(order)[: first.num_rows]))
    pairs = zip(first.to_pylist(), again.to_pylist(), strict=True)
    differing = [(one, other) for one, other in pairs if one != other]
    print(f"{name}: {len(differing)} of {first.num_rows} rows differ in another order", flush=True)
    for one, other in differing[:2]:
        print(f"    {one}\n    {other}", flush=True)


def _timed(
    arguments: argparse.Namespace, worker: FedWorker, rows: pa.Table, seconds: float, name: str
) -> tuple[pa.Table, NDArray[np.int64]]:
    """Time passes over photos, each in an order of its own; returns the first one's rows."""
    copies = 1 if arguments.device == "cpu" else -(-TIMED_ROWS // rows.num_rows)
    many = pa.concat_tables([rows] * copies).combine_chunks()
    random = np.random.default_rng(0)
    orders = [random.permutation(many.num_rows) for _ in range(MAX_PASSES)]
    shuffled = [many.take(pa.array(order)) for order in orders]
    begun = time.monotonic()
    found = _pass(worker, shuffled[0])
    once = time.monotonic() - begun
    passes = min(MAX_PASSES, max(1, int((seconds - once) / once)))

    def work() -> None:
        for each in shuffled[:passes]:
            _pass(worker, each)

    psutil.cpu_percent()
    speed = rate(work, passes * many.num_rows, f"{name}, {passes} passes of {many.num_rows}")
    print(f"{name}: CPU cores {psutil.cpu_percent():.0f} % busy")
    print(f"{name}: {THUMBNAILS} thumbnails in {THUMBNAILS / speed / 60:.1f} min", flush=True)
    return found, orders[0]


def _pass(worker: FedWorker, rows: pa.Table) -> pa.Table:
    (batch,) = rows.combine_chunks().to_batches()
    return pa.Table.from_batches([worker.process(batch)])


@contextmanager
def _working(arguments: argparse.Namespace, detector: TextDetector) -> Iterator[FedWorker]:
    inner = OcrWorker(ImageFiles(Path("/")), "benchmark", "0", detector, 1)
    worker = fed(inner, arguments.helpers, arguments.device)
    worker.setup()
    try:
        yield worker
    finally:
        worker.close()


def _print_graphs(worker: FedWorker) -> None:
    import torch

    from webemo_curate.ocr.graphed import shared_shelf

    held = torch.cuda.max_memory_reserved() // 2**20 if torch.cuda.is_available() else 0
    print(f"    {len(shared_shelf())} graphs, {held} MiB reserved by torch at most")
    for name, filled in worker.filling().items():
        full = filled.items / max(1, filled.entries)
        print(f"    {name}: {filled.items} items in {filled.batches} batches, {full:.0%} full")
    sys.stdout.flush()
