"""Measure time and memory of finding all near pairs among many hashes, beside others.

    python -m benchmarks.dedup_scale --rival /path/to/venv/bin/python [--hashes 222000 1000000]
    python -m benchmarks.dedup_scale --distance 8 --hashes 10000000 --limit 3600
    python -m benchmarks.dedup_scale --photos FOLDER          # hashing rate, beside imagehash

Hashes are random, each with one of its mirror image; one in ten is planted near another, upright or
mirrored, with up to twice the distance flipped. Pairs are sought upright and mirrored. Every
contestant is a process of its own, reads the same file and must find the same number of pairs;
imagededup seeks upright ones alone. The rival's interpreter has faiss-cpu, usearch and imagededup;
one that it lacks gives no result.
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

REACH = MatchingConfig().reach
"""Bits within which `curate dedup` has pairs measured."""

PLANTED = 10
"""One hash in so many is near another."""

LIMIT_SECONDS = 600

OURS = """
import sys, numpy as np
from webemo_curate.duplicates.hamming import pairs_within
upright, mirrored = np.load(sys.argv[1])
radius = int(sys.argv[2])
print(len(pairs_within(upright, None, radius).left)
    + len(pairs_within(mirrored, upright, radius).left))
"""

OURS_BY_WORKERS = """
import sys, tempfile, numpy as np
from pathlib import Path
from webemo_curate.duplicates.pair_search import PairSearch
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore
upright, mirrored = np.load(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    store = FolderStore(Path(folder))
    search = PairSearch(store, LocalRunner(), Checkpoints(store, "search"))
    found = search([(upright, None), (mirrored, upright)], int(sys.argv[2]))
print(sum(len(pairs.left) for pairs in found))
"""

FAISS = """
import sys, faiss, numpy as np
upright, mirrored = (side.view(np.uint8).reshape(-1, 8) for side in np.load(sys.argv[1]))
radius, step, found = int(sys.argv[2]), 100_000, 0
index = {index}
index.add(upright)
for side in (upright, mirrored):
    for start in range(0, len(side), step):
        limits, _, near = index.range_search(side[start : start + step], radius + 1)
        rows = np.repeat(np.arange(len(limits) - 1), np.diff(limits.astype(np.int64))) + start
        found += int((rows < near).sum()) if side is upright else len(near)
print(found)
"""

FAISS_FLAT = FAISS.format(index="faiss.IndexBinaryFlat(64)")

FAISS_MULTI_HASH = FAISS.format(
    index="faiss.IndexBinaryMultiHash(64, 4, 16); index.nflip = radius // 4"
)
"""Four hashes of 16 bits, one of which has a fourth of the flips at most: all pairs are found."""

USEARCH = """
import sys, numpy as np
from usearch.index import MetricKind, search
upright, mirrored = (side.view(np.uint8).reshape(-1, 8) for side in np.load(sys.argv[1]))
radius, step, found = int(sys.argv[2]), 10_000, 0
for side in (upright, mirrored):
    for start in range(0, len(side), step):
        near = search(upright, side[start : start + step], 10, MetricKind.Hamming, exact=True)
        rows = np.arange(len(near.keys))[:, None] + start
        within = near.distances <= radius
        found += int((within & (rows < near.keys) if side is upright else within).sum())
print(found)
"""
"""It seeks no radius: the ten nearest of each hash, of which planted ones have fewer."""

IMAGEDEDUP = """
import sys, numpy as np
from imagededup.methods import PHash
hashes, _ = np.load(sys.argv[1])
names = {str(n): format(h, "016x") for n, h in enumerate(hashes.tolist())}
found = PHash(verbose=False).find_duplicates(
    encoding_map=names, max_distance_threshold=int(sys.argv[2]), search_method=sys.argv[3],
    num_dist_workers=2)
print(sum(len(others) for others in found.values()) // 2)
"""


def planted_hashes(count: int, distance: int) -> np.ndarray:
    """Return distinct hashes and those of their mirror images; uint64, shape (2, count)."""
    random = np.random.default_rng(0)
    sides = random.integers(0, 2**64, (2, count), dtype=np.uint64)
    for row in range(PLANTED, count, PLANTED):
        bits = random.choice(64, random.integers(1, 2 * distance + 1), replace=False)
        flips = np.bitwise_or.reduce(np.uint64(1) << bits.astype(np.uint64))
        sides[0, row] = sides[row // PLANTED % 2, random.integers(row)] ^ flips
    _, first = np.unique(sides[0], return_index=True)
    return np.ascontiguousarray(sides[:, first])


def compare_search(
    counts: Sequence[int], distance: int, rival: Path | None, limit: int, only: str
) -> None:
    """Print seconds, CPU-seconds, memory and pairs of each contestant at each size."""
    ours = Path(sys.executable)
    contestants: list[tuple[str, Path, str, tuple[str, ...]]] = [
        ("curate, one process", ours, OURS, ()),
        ("curate, a worker a core", ours, OURS_BY_WORKERS, ()),
    ]
    if rival:
        contestants += [
            ("faiss IndexBinaryFlat", rival, FAISS_FLAT, ()),
            ("faiss IndexBinaryMultiHash", rival, FAISS_MULTI_HASH, ()),
            ("usearch, exact", rival, USEARCH, ()),
            ("imagededup brute force", rival, IMAGEDEDUP, ("brute_force_cython",)),
            ("imagededup bktree", rival, IMAGEDEDUP, ("bktree",)),
        ]
    with tempfile.TemporaryDirectory() as folder:
        for count in counts:
            file = Path(folder, "hashes.npy")
            np.save(file, planted_hashes(count, distance))
            print(f"{count:,} hashes, {distance} bits, upright and mirrored")
            for name, python, code, options in contestants:
                if only not in name:
                    continue
                words = [str(python), "-c", code, str(file), str(distance), *options]
                print(f"  {name:<26} {_search(words, file.with_suffix('.log'), limit)}", flush=True)


def _search(words: Sequence[str], log: Path, limit: int) -> str:
    try:
        cost = run(["timeout", str(limit), *words], log)
    except RuntimeError as error:
        last = str(error).strip().splitlines()[-1]
        return f"no result, {limit} s allowed: {last[:60]}"
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
    parser.add_argument("--distance", type=int, default=REACH, help="bits; default: as dedup's")
    parser.add_argument("--photos", type=Path, help="folder of pictures to hash")
    parser.add_argument("--only", default="", help="part of the names of those to measure")
    parser.add_argument("--limit", type=int, default=LIMIT_SECONDS, help="seconds for each")
    arguments = parser.parse_args()
    if arguments.photos:
        compare_hashing(arguments.photos)
    compare_search(
        arguments.hashes, arguments.distance, arguments.rival, arguments.limit, arguments.only
    )


if __name__ == "__main__":
    main()
