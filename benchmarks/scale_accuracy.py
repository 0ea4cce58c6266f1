"""False pairs of whole frames as a collection grows, beside a bare perceptual hash.

    python -m benchmarks.scale_accuracy PHOTOS TOOL --cache FOLDER [--sizes 1000 30000 222000]

TOOL makes any number of different pictures out of PHOTOS (`picture(number)` gives group and JPEG,
`photos(folder)` what it draws on). What is computed of a picture is kept in FOLDER, 1,000 pictures
a file, so that a rerun goes on. Two pictures of different groups are strangers: each pair that a
method joins is false. Pairs that reduced pictures leave open are made again and looked at closely.
Without room for all of a size, the largest that the cache holds is reported.

The rival is imagededup's rule, all pairs of a pHash within a distance, upright alone; the hash here
is imagehash's, which differs from imagededup's by how a picture is reduced.
"""

import argparse
import importlib.util
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.stats import chi2

from benchmarks.dedup_accuracy import prover
from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.hamming import pairs_within
from webemo_curate.duplicates.looks import PictureLooks
from webemo_curate.duplicates.methods import by_hash
from webemo_curate.duplicates.perceptual import phashes, reduce_gray

CHUNK = 1000
RIVAL_DISTANCES = (8, 10)
KEYS = ("number", "group", "phash", "phash_mirrored", "gray")
Arrays = dict[str, npt.NDArray[np.generic]]


def open_tool(file: Path, photos: Path) -> ModuleType:
    """Load the tool that makes pictures, ready to make some."""
    spec = importlib.util.spec_from_file_location("tool", file)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    tool.PHOTOS = tool.photos(photos)
    return tool


def chunk(cache: Path, index: int, tool: ModuleType) -> Arrays:
    """Return what is computed of 1,000 pictures, from the cache if it is there."""
    file = cache / f"chunk-{index:04d}.npz"
    if not file.exists():
        numbers = np.arange(index * CHUNK, (index + 1) * CHUNK)
        made = [tool.picture(int(number)) for number in numbers]
        reduced = np.stack([reduce_gray(_open(content)) for _, content in made])
        hashes = phashes(reduced)
        groups = np.array([group for group, _ in made])
        columns = (numbers, groups, hashes[:, 0], hashes[:, 1], reduced[:, 0])
        np.savez(file, **dict(zip(KEYS, columns, strict=True)))
    with np.load(file) as stored:
        return {key: stored[key] for key in KEYS}


def _open(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def poisson(count: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a Poisson count."""
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return float(low), float(chi2.ppf(0.975, 2 * count + 2) / 2)


def report(arrays: Arrays, tool: ModuleType, config: DedupConfig) -> None:
    """Print the false pairs of each method among these pictures."""
    group, hashes = arrays["group"], arrays["phash"]
    size = len(group)
    print(f"{size:,} pictures, {size * (size - 1) // 2:,} pairs")
    for distance in RIVAL_DISTANCES:
        pairs = pairs_within(hashes, hashes, distance)
        false = (pairs.left < pairs.right) & (group[pairs.left] != group[pairs.right])
        _line(f"pHash within {distance}", int(false.sum()))
    names = np.array([f"{number}.jpg" for number in arrays["number"]], dtype=object)
    colors = np.zeros((size, 4, 4, 3), np.uint8)
    looks = PictureLooks(names, hashes, arrays["phash_mirrored"], arrays["gray"], colors)
    with tempfile.TemporaryDirectory() as folder:
        closer = prover(Path(folder))

        def prove(paths, pairs, whole, mirrored):  # type: ignore[no-untyped-def]
            for row in np.unique(np.concatenate(pairs)).tolist():
                content = tool.picture(int(arrays["number"][row]))[1]
                Path(folder, paths[row]).write_bytes(content)
            print(f"  {len(pairs[0])} pairs left open by reduced pictures")
            return closer(paths, pairs, whole, mirrored)

        found = by_hash(looks, config, prove)
    strange = group[found.first] != group[found.second]
    _line("curate, the same", int((strange & found.same).sum()))
    _line("curate, siblings", int((strange & ~found.same).sum()))


def _line(name: str, count: int) -> None:
    low, high = poisson(count)
    print(f"  {name}: {count} false pairs ({low:.1f} to {high:.1f})", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print false pairs at each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("tool", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 30_000, 222_000])
    parser.add_argument("--cached", action="store_true", help="make no more pictures")
    options = parser.parse_args(arguments)
    options.cache.mkdir(parents=True, exist_ok=True)
    tool = open_tool(options.tool, options.photos)
    for size in options.sizes:
        indices = range(-(-size // CHUNK))
        if options.cached:
            indices = range(len(list(options.cache.glob("chunk-*.npz"))))[: len(indices)]
        parts = [chunk(options.cache, index, tool) for index in indices]
        arrays = {key: np.concatenate([part[key] for part in parts])[:size] for key in KEYS}
        report(arrays, tool, DedupConfig())


if __name__ == "__main__":
    main()
