"""What the whole-table stages cost in time and memory at growing numbers of synthetic rows.

    python -m benchmarks.whole_tables [--rows 200000 1000000 4000000] [--limit 600]

One image a listed line, random labels, random perceptual hashes (near ones are rare, as among
strangers), no local features. Every stage runs in a process of its own, from manifests on the disk:
once with the columns that it declares, once with all columns, as the rival.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.measure import MEGABYTE
from tests.stages.tables import FILLERS
from webemo_curate.config import (
    BinarizeConfig,
    DecodingConfig,
    DedupConfig,
    SplitConfig,
    UndersampleConfig,
)
from webemo_curate.conform import conform
from webemo_curate.manifest import Origin
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.schemas import MANIFESTS
from webemo_curate.stages.binarize import BinarizeStage
from webemo_curate.stages.dedup import DedupStage
from webemo_curate.stages.split import SplitStage
from webemo_curate.stages.stage import Stage, StageContext
from webemo_curate.stages.undersample import UndersampleStage
from webemo_curate.taxonomies.webemo_labels import LABELS
from webemo_curate.workspace import Workspace

STAGES: list[Stage] = [  # type: ignore[type-arg]
    DedupStage(DedupConfig(), DecodingConfig()),
    BinarizeStage(BinarizeConfig()),
    UndersampleStage(UndersampleConfig()),
    SplitStage(SplitConfig()),
]


def synthetic(rows: int) -> dict[str, pa.Table]:
    """Return the manifests that stand before dedup."""
    random = np.random.default_rng(0)
    hashes = pa.array([f"{number:064x}" for number in random.permutation(rows).tolist()])
    urls = pa.array([f"https://photos.example/220_F_{n}_a.jpg" for n in range(rows)])
    chosen = random.integers(0, len(LABELS), rows)
    labels = {
        name: pa.array([getattr(label, field) for label in LABELS]).take(pa.array(chosen))
        for name, field in (("label", "name"), ("emotion", "emotion"), ("polarity", "polarity"))
    }
    phash = pa.array(random.integers(0, 2**64, rows, np.uint64))
    return {
        "listing": _table("listing", rows, url=urls, line=pa.array(range(rows)), **labels),
        "fetch": _table("fetch", rows, url=urls, sha256=hashes),
        "images": _table(
            "images", rows, sha256=hashes, pixel_hash=hashes, phash=phash, phash_mirrored=phash
        ),
        "text": _table("text", rows, sha256=hashes),
        "features": MANIFESTS["features"].empty_table(),
    }


def _table(name: str, rows: int, **columns: pa.Array) -> pa.Table:
    """Fill in the columns that no stage looks at."""
    schema = MANIFESTS[name]
    arrays = {}
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        filler = pa.scalar(FILLERS[name].get(field.name), kind)
        arrays[field.name] = columns.get(field.name, pa.repeat(filler, rows))
    return conform(pa.table(arrays), schema)


def write_inputs(folder: str, rows: int) -> None:
    """Write the manifests that stand before dedup."""
    workspace = Workspace(Path(folder))
    for name, table in synthetic(rows).items():
        workspace.write(name, table, Origin(name, 1, {}, {}))


def run_stage(folder: str, name: str, *, whole: bool) -> None:
    """Run one stage on the manifests of a folder and print what it took."""
    workspace = Workspace(Path(folder))
    (stage,) = [stage for stage in STAGES if stage.name == name]
    before, started = _peak(), time.perf_counter()
    tables = {n: workspace.read(n) for n in stage.inputs} if whole else stage.load(workspace)
    loaded = _peak()
    outputs = stage.run(tables, StageContext(workspace, LocalRunner(1), "benchmark"))
    seconds, peak = time.perf_counter() - started, _peak()
    for output, table in outputs.items():
        workspace.write(output, table, Origin(name, 1, {}, {}))
    print(
        f"  {name:<12} {'all columns' if whole else 'declared':<12} {seconds:7.1f} s  "
        f"loaded {loaded - before:6.0f} MB  peak {peak:6.0f} MB",
        flush=True,
    )


def run_one(rows: int, limit: float) -> None:
    """Run every stage with both ways of loading, each in a process of its own."""
    print(f"{rows:,} rows", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        _in_process(f"write_inputs({folder!r}, {rows})", limit)
        for stage in STAGES:
            for whole in (True, False):
                _in_process(f"run_stage({folder!r}, {stage.name!r}, whole={whole})", limit)


def _in_process(call: str, limit: float) -> None:
    code = f"from benchmarks.whole_tables import *; {call}"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=limit)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE


def main() -> None:
    """Run every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[200_000, 1_000_000, 4_000_000])
    parser.add_argument("--limit", type=float, default=600, help="seconds for a stage")
    arguments = parser.parse_args()
    for rows in arguments.rows:
        try:
            run_one(rows, arguments.limit)
        except subprocess.TimeoutExpired as error:
            print(f"{rows:,} rows: not within {arguments.limit:.0f} s: {error.cmd[-1]}")


if __name__ == "__main__":
    main()
