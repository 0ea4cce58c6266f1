"""Measure time and memory of the whole-table stages at growing numbers of synthetic rows.

    python -m benchmarks.whole_tables [--rows 267000 1000000] [--memory 2000000000] [--search]

One image a listed line, random labels, a tenth of the pictures copies of others. dedup's table (of
a measured pair for each ten images), then binarize, undersample and split, then the decisions, the
funnel, the audit and the digests of `verify` run in processes of their own, from manifests on the
disk to manifests on the disk; binarize to split also as a plain SQL script (`sql_rival`). On a
machine with other work compare CPU-seconds, which count all threads. Memory is a process's own:
mapped files do not count, which the system drops when it needs the room.
`--search` finds and measures pairs of random hashes first.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset  # loads pandas; the rival has its library loaded, too

from benchmarks import sql_rival
from benchmarks.measure import MEGABYTE
from tests.stages.tables import FILLERS
from webemo_curate.accounting import funnel
from webemo_curate.audit import discrepancies
from webemo_curate.config import (
    BinarizeConfig,
    DecodingConfig,
    DedupConfig,
    MatchingConfig,
    SplitConfig,
    StageConfig,
    UndersampleConfig,
)
from webemo_curate.fields import plain_type
from webemo_curate.manifest import ROW_GROUP_ROWS, Origin
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.runner.memory import held_bytes
from webemo_curate.schemas import MANIFESTS
from webemo_curate.stages.binarize import BinarizeStage
from webemo_curate.stages.decisions import DecisionsStage
from webemo_curate.stages.dedup import DedupStage
from webemo_curate.stages.pairs import PairsStage
from webemo_curate.stages.split import SplitStage
from webemo_curate.stages.stage import Stage, StageContext
from webemo_curate.stages.undersample import UndersampleStage
from webemo_curate.table_engine import spilled
from webemo_curate.taxonomies.webemo_labels import LABELS
from webemo_curate.workspace import Workspace

STAGES: list[Stage] = [  # type: ignore[type-arg]
    PairsStage(MatchingConfig(), DecodingConfig()),
    DedupStage(DedupConfig()),
    BinarizeStage(BinarizeConfig()),
    UndersampleStage(UndersampleConfig()),
    SplitStage(SplitConfig()),
    DecisionsStage(StageConfig()),
]


def synthetic(rows: int, times: int = 1, tail: str = "a") -> dict[str, pa.Table]:
    """Return the manifests that stand before dedup: of images that each have some URLs."""
    random = np.random.default_rng(0)
    hashes = pa.array([f"{number:064x}" for number in random.permutation(rows).tolist()])
    own = np.arange(rows)
    first, second = (np.where(random.random(rows) < 1 / 9, own - own % 10, own) for _ in range(2))
    assets = pa.array([f"{number}" for number in np.tile(second, times).tolist()])
    lines = rows * times
    urls = pa.array([f"https://photos.example/220_F_{n}_{tail}.jpg" for n in range(lines)])
    chosen = random.integers(0, len(LABELS), lines)
    labels = {
        name: pa.array([getattr(label, field) for label in LABELS]).take(pa.array(chosen))
        for name, field in (("label", "name"), ("emotion", "emotion"), ("polarity", "polarity"))
    }
    official = pa.array(["test", *["train"] * 9]).take(pa.array(np.arange(lines) % 10))
    phash = pa.array(random.integers(0, 2**64, rows, np.uint64))
    return {
        "listing": _table(
            *("listing", lines),
            url=urls,
            line=pa.array(range(lines)),
            asset_id=assets,
            official_split=official,
            **labels,
        ),
        "fetch": _table("fetch", lines, url=urls, sha256=hashes.take(np.tile(own, times))),
        "images": _table(
            *("images", rows),
            sha256=hashes,
            pixel_hash=hashes.take(pa.array(first)),
            phash=phash,
            phash_mirrored=phash,
        ),
        "text": _table("text", rows, sha256=hashes),
        "features": MANIFESTS["features"].empty_table(),
        "pairs": _pairs(hashes, random),
    }


def _pairs(hashes: pa.Array, random: np.random.Generator) -> pa.Table:
    """Return a measured pair for each ten images, every second of one picture."""
    rows = len(hashes) // 10
    first, second = random.integers(0, len(hashes), (2, rows))
    return _table(
        *("pairs", rows),
        first=hashes.take(pa.array(first)),
        second=hashes.take(pa.array(second)),
        distance=pa.array(random.integers(0, 9, rows), pa.int16()),
        clear=pa.array(random.random(rows) < 0.5),
        correlation=pa.array(random.random(rows, np.float32)),
    ).filter(pa.array(first != second))


def _table(name: str, rows: int, **columns: pa.Array) -> pa.Table:
    """Return the columns that a stage looks at, in the manifest's order."""
    assert all(len(column) == rows for column in columns.values())
    table = pa.table(columns)
    return table.sort_by("sha256") if name == "images" else table


def _whole(name: str, table: pa.Table) -> Iterator[pa.RecordBatch]:
    """Fill in the columns that no stage looks at, some rows at a time."""
    for start in range(0, table.num_rows, ROW_GROUP_ROWS):
        part, arrays = table.slice(start, ROW_GROUP_ROWS).combine_chunks(), {}
        for field in MANIFESTS[name]:
            filler = pa.scalar(FILLERS[name].get(field.name), plain_type(field.type))
            there = field.name in table.column_names
            own = part[field.name].cast(filler.type) if there else pa.repeat(filler, len(part))
            arrays[field.name] = own
        yield from pa.table(arrays, schema=_plain(name)).to_batches()


def _plain(name: str) -> pa.Schema:
    return pa.schema([(field.name, plain_type(field.type)) for field in MANIFESTS[name]])


def write_inputs(folder: str, rows: int, times: int = 1, tail: str = "a") -> None:
    """Write the manifests that stand before dedup; see `synthetic`."""
    workspace = Workspace(Path(folder))
    for name, table in synthetic(rows, times, tail).items():
        whole = spilled(workspace.root, _plain(name), _whole(name, table))
        workspace.write(name, whole, Origin(name, 1, {}, {}))


def run_stages(folder: str, memory: int | None, names: tuple[str, ...]) -> None:
    """Run stages on the manifests of a folder and print what they took."""
    workspace = Workspace(Path(folder))
    with Peak() as peak:
        begun = time.perf_counter()
        for stage in (stage for stage in STAGES if stage.name in names):
            started = time.perf_counter()
            context = StageContext(workspace, LocalRunner(), "benchmark", memory)
            outputs = stage.run(stage.load(workspace), context)
            classes = stage.classes(workspace)
            for output, table in outputs.items():
                workspace.write(output, table, Origin(stage.name, 1, {}, {}), classes)
            del outputs
            print(f"  {stage.name:<12} {time.perf_counter() - started:7.1f} s", flush=True)
        print(f"  {'in all':<12} {time.perf_counter() - begun:7.1f} s", end="")
    peak.tell()


def run_counts(folder: str, memory: int) -> None:
    """Count what left, recount it and hold the manifests against their digests."""
    workspace = Workspace(Path(folder))
    parts: dict[str, Callable[[], object]] = {
        "funnel": lambda: funnel(workspace, memory),
        "audit": lambda: discrepancies(workspace, memory),
        "digests": lambda: [workspace.change(name) for name in MANIFESTS if workspace.has(name)],
    }
    for name, part in parts.items():
        with Peak() as peak:
            started = time.perf_counter()
            part()
            print(f"  {name:<12} {time.perf_counter() - started:7.1f} s", end="")
        peak.tell()


def run_rival(folder: str, memory: int) -> None:
    """Run the SQL script on the same manifests."""
    with Peak() as peak:
        started = time.perf_counter()
        sql_rival.run(Path(folder) / "manifests", f"{memory}B")
        print(f"  {'SQL script':<12} {time.perf_counter() - started:7.1f} s", end="")
    peak.tell()


class Peak:
    """Looks ten times a second at what this process holds of its own, and counts its CPU time."""

    def __enter__(self) -> "Peak":
        self.bytes, self._done = 0, threading.Event()
        self._before = time.process_time()
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._looking.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._looking.join()

    def tell(self) -> None:
        """Print CPU time of all threads and the most memory held."""
        spent = time.process_time() - self._before
        print(f"  {spent:7.1f} CPU-s  {self.bytes / MEGABYTE:6.0f} MB of its own", flush=True)

    def _look(self) -> None:
        while not self._done.wait(0.1):
            self.bytes = max(self.bytes, held_bytes())


def run_one(rows: int, memory: int, limit: float, *, search: bool) -> None:
    """Run the stages, the rival and the counts, each in a process of its own."""
    print(f"{rows:,} rows", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        _in_process(f"write_inputs({folder!r}, {rows})", limit)
        parts = [("pairs",)] if search else []
        for names in (*parts, ("dedup",), ("binarize", "undersample", "split"), ("decisions",)):
            _in_process(f"run_stages({folder!r}, {memory}, {names})", limit)
        _in_process(f"run_rival({folder!r}, {memory})", limit)
        _in_process(f"run_counts({folder!r}, {memory})", limit)


def _in_process(call: str, limit: float) -> None:
    code = f"from benchmarks.whole_tables import *; {call}"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=limit)


def main() -> None:
    """Run every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[267_000, 1_000_000])
    parser.add_argument("--memory", type=int, default=2 * 10**9, help="bytes")
    parser.add_argument("--search", action="store_true", help="search random hashes first")
    parser.add_argument("--limit", type=float, default=600, help="seconds for a stage")
    arguments = parser.parse_args()
    for rows in arguments.rows:
        try:
            run_one(rows, arguments.memory, arguments.limit, search=arguments.search)
        except subprocess.TimeoutExpired as error:
            print(f"{rows:,} rows: not within {arguments.limit:.0f} s: {error.cmd[-1]}")


if __name__ == "__main__":
    main()
