"""Compare exports with each library's own writer and `cp -r`: images a second and memory.

`python -m benchmarks.exports WORK [--images 20000] [--bytes 11000] [--rounds 3] [--only NAME...]`.
The pictures are random bytes under their hashes: no writer decodes them. Each writer runs in a
process of its own, the writing alone is timed (no import, no flush to the disk), and its process's
largest resident set is sampled. Rounds take turns, so that a busy machine is busy for all; ratios
are within a round.
"""

import argparse
import hashlib
import importlib
import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.exported_rows import SPLIT, draw, list_rows
from benchmarks.measure import MEGABYTE, run
from webemo_curate.config import ExportConfig, ExportFormat
from webemo_curate.exports.chosen_rows import select
from webemo_curate.exports.export import WRITERS
from webemo_curate.exports.export_job import ExportJob
from webemo_curate.progress import ProgressBar
from webemo_curate.workspace import Workspace

IMAGES, BYTES, ROUNDS, SHARD = 20_000, 11_000, 3, 2000
OURS = {f"curate {form}": form for form in ExportFormat}


def ours(form: ExportFormat, workspace: Workspace, folder: Path) -> None:
    selection = select(workspace, [SPLIT])
    config = ExportConfig(license="unknown", shard_images=SHARD)
    with ProgressBar(selection.rows, "export", "image") as bar:
        WRITERS[form](ExportJob(selection, config, bar), folder)


def rows_of(workspace: Workspace) -> Iterator[dict[str, object]]:
    for batch in select(workspace, [SPLIT]).splits[0].batches():
        yield from batch.to_pylist()


def shard_writer(workspace: Workspace, folder: Path) -> None:
    """WebDataset's own writer, told to do what ours does, without checking a hash."""
    import webdataset  # loaded before the clock runs

    with webdataset.ShardWriter(f"{folder}/train-%05d.tar", maxcount=SHARD, verbose=0) as writer:
        for row in rows_of(workspace):
            content = (workspace.root / str(row["path"])).read_bytes()
            facts = {key: row[key] for key in ("sha256", "target", "label", "labels", "url")}
            writer.write({"__key__": row["sha256"], "jpg": content, "json": facts})


def embedding(workspace: Workspace, folder: Path) -> None:
    """`datasets`' own way: paths as an Image column, embedded as the Parquet is written."""
    import datasets  # loaded before the clock runs
    from datasets.table import embed_table_storage

    datasets.disable_progress_bars()
    names = ("target", "label", "labels", "group", "sha256", "url")
    rows = [
        {"image": str(workspace.root / str(row["path"]))} | {name: row[name] for name in names}
        for row in rows_of(workspace)
    ]
    made = datasets.Dataset.from_list(rows).cast_column("image", datasets.Image())
    count = -(-len(rows) // SHARD)
    for index in range(count):
        shard = made.shard(num_shards=count, index=index, contiguous=True)
        embedded = shard.with_format("arrow").map(
            embed_table_storage, batched=True, batch_size=100, load_from_cache_file=False
        )
        embedded.with_format(None).to_parquet(f"{folder}/train-{index:05d}-of-{count:05d}.parquet")


def copy(workspace: Workspace, folder: Path) -> None:
    import subprocess

    subprocess.run(["cp", "-r", workspace.root / "data/images", folder / "images"], check=True)


RIVALS: dict[str, Callable[[Workspace, Path], None]] = {
    "cp -r": copy,
    "webdataset ShardWriter": shard_writer,
    "datasets embedding": embedding,
}
LOADED = {
    "webdataset ShardWriter": ("webdataset",),
    "datasets embedding": ("datasets", "datasets.table"),
}
"""What writers load, before the clock runs; ours, as all of them, Arrow with pandas."""

AGAINST = {
    "curate webdataset": ("webdataset ShardWriter", "cp -r"),
    "curate huggingface": ("datasets embedding", "cp -r"),
    "curate croissant": ("datasets embedding", "cp -r"),
    "curate imagefolder": ("cp -r",),
    "curate fiftyone": ("cp -r",),
}


def write_one(name: str, work: Path) -> None:
    """Write one export and print the seconds it took; the process's own."""
    workspace, folder = Workspace(work / "ws"), work / "out"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for module in ("pyarrow.compute", "pyarrow.parquet", "pandas", *LOADED.get(name, ())):
        importlib.import_module(module)
    started, used = time.perf_counter(), cpu_seconds()
    if name in RIVALS:
        RIVALS[name](workspace, folder)
    else:
        ours(OURS[name], workspace, folder)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds() - used}))


def own_bytes(folder: Path) -> int:
    """Return the bytes of a folder's files, without those that are links of the workspace's."""
    with os.scandir(folder) as entries:
        return sum(
            own_bytes(Path(entry)) if entry.is_dir() else _own(entry.stat()) for entry in entries
        )


def _own(status: os.stat_result) -> int:
    return status.st_size if status.st_nlink == 1 else 0


def cpu_seconds() -> float:
    """Return the processor time of this process and of those it ran."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class Measured(NamedTuple):
    """What one writer did.

    Attributes
    ----------
    speed, cpu_speed
        Images a second, and a second of processor time.
    memory
        MB, resident at most.
    size
        Bytes on the disk an image, hard links left out.
    """

    speed: float
    cpu_speed: float
    memory: float
    size: float


def measure(name: str, work: Path, images: int) -> Measured:
    """Run a writer in a process of its own."""
    log = work / "log"
    command = [sys.executable, "-m", "benchmarks.exports", str(work), "--one", name]
    cost = run(command, log)
    told = json.loads(log.read_text().splitlines()[-1])
    speeds = (images / told["seconds"], images / told["cpu_seconds"])
    # Counted here: to walk a million files takes more memory than to write them.
    return Measured(*speeds, cost.peak_bytes / MEGABYTE, own_bytes(work / "out") / images)


def ratios(rounds: Sequence[dict[str, Measured]], name: str, rival: str, field: str) -> str:
    """Return median, least and largest ratio of two writers over the rounds."""
    each = [getattr(one[name], field) / getattr(one[rival], field) for one in rounds]
    return f"{statistics.median(each):.2f} ({min(each):.2f} to {max(each):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--bytes", type=int, default=BYTES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", nargs="+", choices=[*RIVALS, *OURS], default=[*RIVALS, *OURS])
    parser.add_argument("--lists", type=int, help="rows without pictures, written as CSV alone")
    parser.add_argument("--one")
    given = parser.parse_args()
    if given.lists:
        hashes = sorted(hashlib.sha256(b"%d" % number).hexdigest() for number in range(given.lists))
        list_rows(Workspace(given.work / "ws"), hashes)
        found = measure("curate csv", given.work, given.lists)
        print(f"{given.lists:,} rows as CSV: {found.speed:,.0f} rows/s, {found.memory:,.0f} MB")
        return
    if given.one:
        write_one(given.one, given.work)
        return
    draw(given.work / "ws", given.images, given.bytes)
    rounds = [
        {name: measure(name, given.work, given.images) for name in given.only}
        for _ in range(given.rounds)
    ]
    for name in given.only:
        show(name, rounds)


def show(name: str, rounds: Sequence[dict[str, Measured]]) -> None:
    """Print a writer's figures, and its ratios to its rivals by wall and by processor time."""
    speed = statistics.median(one[name].speed for one in rounds)
    cpu_speed = statistics.median(one[name].cpu_speed for one in rounds)
    memory = max(one[name].memory for one in rounds)
    size = statistics.median(one[name].size for one in rounds)
    rates = f"{speed:>9,.0f} images/s {cpu_speed:>9,.0f} images/CPU-s"
    print(f"{name:<24}{rates} {memory:>6,.0f} MB {size:>9,.0f} bytes an image")
    for rival in AGAINST.get(name, ()):
        if rival in rounds[0]:
            wall, cpu = (ratios(rounds, name, rival, field) for field in ("speed", "cpu_speed"))
            print(f"{'':<24}  x {rival}: wall {wall}, CPU {cpu}")


if __name__ == "__main__":
    main()
