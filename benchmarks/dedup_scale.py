"""Measure time and memory of finding all near pairs among many hashes, beside imagededup and faiss.

    python -m benchmarks.dedup_scale --rival /path/to/venv/bin/python [--hashes 222000 1000000]
    python -m benchmarks.dedup_scale --photos FOLDER          # hashing rate, beside imagehash

Hashes are random, one in ten planted as a copy of another with up to twice the distance
flipped. Every contestant is a process of its own, reads the same file and must find the same number
of pairs. The rival's interpreter has imagededup and faiss-cpu.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image, ImageOps

from benchmarks.measure import MEGABYTE, run
from webemo_curate.config import MatchingConfig
from webemo_curate.duplicates.perceptual import picture_hashes

DISTANCE = MatchingConfig().reach
"""Bits within which `curate dedup` has pairs measured."""

PLANTED = 10
"""One hash in so many is a copy with some bits flipped."""

LIMIT_SECONDS = 600

OURS = f"""
import sys, numpy as np
from webemo_curate.duplicates.hamming import pairs_within
hashes = np.load(sys.argv[1])
pairs = pairs_within(hashes, hashes, {DISTANCE})
print(int((pairs.left < pairs.right).sum()))
"""

OURS_BY_WORKERS = f"""
import sys, tempfile, numpy as np
from pathlib import Path
from webemo_curate.duplicates.pair_search import PairSearch
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore
hashes = np.load(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    store = FolderStore(Path(folder))
    search = PairSearch(store, LocalRunner(), Checkpoints(store, "search"))
    pairs = search(hashes, hashes, {DISTANCE})
print(int((pairs.left < pairs.right).sum()))
"""

FAISS_FLAT = f"""
import sys, faiss, numpy as np
hashes = np.load(sys.argv[1])
codes = hashes.view(np.uint8).reshape(-1, 8)
index = faiss.IndexBinaryFlat(64)
index.add(codes)
limits, _, found = index.range_search(codes, {DISTANCE} + 1)
rows = np.repeat(np.arange(len(codes)), np.diff(limits.astype(np.int64)))
print(int((rows < found).sum()))
"""

IMAGEDEDUP = f"""
import sys, numpy as np
from imagededup.methods import PHash
hashes = np.load(sys.argv[1])
names = {{str(n): format(h, "016x") for n, h in enumerate(hashes.tolist())}}
found = PHash(verbose=False).find_duplicates(
    encoding_map=names, max_distance_threshold={DISTANCE}, search_method=sys.argv[2],
    num_dist_workers=2)
print(sum(len(others) for others in found.values()) // 2)
"""


def planted_hashes(count: int) -> np.ndarray:
    """Return distinct 64-bit hashes, one in `PLANTED` near another; uint64, shape (count,)."""
    random = np.random.default_rng(0)
    hashes = random.integers(0, 2**64, count, dtype=np.uint64)
    for row in range(PLANTED, count, PLANTED):
        bits = random.choice(64, random.integers(1, 2 * DISTANCE + 1), replace=False)
        flips = np.bitwise_or.reduce(np.uint64(1) << bits.astype(np.uint64))
        hashes[row] = hashes[random.integers(row)] ^ flips
    return np.unique(hashes)


def compare_search(counts: Sequence[int], rival: Path | None, limit: int) -> None:
    """Print seconds, CPU-seconds, memory and pairs of each contestant at each size."""
    ours = Path(sys.executable)
    contestants = [
        ("curate, one process", ours, OURS, ()),
        ("curate, a worker a core", ours, OURS_BY_WORKERS, ()),
    ]
    if rival:
        contestants += [
            ("faiss IndexBinaryFlat", rival, FAISS_FLAT, ()),
            ("imagededup brute force", rival, IMAGEDEDUP, ("brute_force_cython",)),
            ("imagededup bktree", rival, IMAGEDEDUP, ("bktree",)),
        ]
    with tempfile.TemporaryDirectory() as folder:
        for count in counts:
            file = Path(folder, "hashes.npy")
            np.save(file, planted_hashes(count))
            for name, python, code, options in contestants:
                print(
                    f"{count:>9,}  {name:<24} {_search(python, code, file, options, limit)}",
                    flush=True,
                )


def _search(python: Path, code: str, file: Path, options: Sequence[str], limit: int) -> str:
    log = file.with_suffix(".log")
    limited = ["timeout", str(limit), str(python), "-c", code, str(file), *options]
    try:
        cost = run(limited, log)
    except RuntimeError as error:
        last = str(error).strip().splitlines()[-1]
        return f"no result within {limit} s ({last[:60]})"
    pairs = log.read_text().split()[-1]
    return (
        f"{cost.seconds:8.1f} s {cost.cpu_seconds:8.1f} CPU-s "
        f"{cost.peak_bytes / MEGABYTE:7.0f} MB  {pairs} pairs"
    )


def compare_hashing(folder: Path) -> None:
    """Print pictures a second, upright and mirrored, for this package and imagehash's loop."""
    pictures = [Image.open(file).convert("RGB") for file in sorted(folder.iterdir())]
    ours, rate = _rated(picture_hashes, pictures)
    theirs, loop_rate = _rated(_imagehash_loop, pictures)
    print(
        f"hashing {len(pictures)} decoded pictures, both ways round: {rate:.0f} a second, "
        f"imagehash {loop_rate:.0f}; ratio {rate / loop_rate:.2f}; "
        f"{int((ours == theirs).sum())} of {ours.size} hashes equal"
    )


def _imagehash_loop(pictures: Sequence[Image.Image]) -> np.ndarray:
    rows = [[imagehash.phash(view) for view in (p, ImageOps.mirror(p))] for p in pictures]
    return np.array([[int(str(found), 16) for found in row] for row in rows], np.uint64)


def _rated(
    method: Callable[[Sequence[Image.Image]], np.ndarray], pictures: Sequence[Image.Image]
) -> tuple[np.ndarray, float]:
    started = time.perf_counter()
    hashes = method(pictures)
    return hashes, len(pictures) / (time.perf_counter() - started)


def main() -> None:
    """Run the comparisons that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rival", type=Path, help="interpreter that has imagededup and faiss")
    parser.add_argument("--hashes", type=int, nargs="*", default=[222_000, 1_000_000])
    parser.add_argument("--photos", type=Path, help="folder of pictures to hash")
    parser.add_argument("--limit", type=int, default=LIMIT_SECONDS, help="seconds for each")
    arguments = parser.parse_args()
    if arguments.photos:
        compare_hashing(arguments.photos)
    compare_search(arguments.hashes, arguments.rival, arguments.limit)


if __name__ == "__main__":
    main()
