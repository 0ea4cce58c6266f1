"""False pairs, and recall of crops and siblings, as a collection grows, beside imagededup's PHash.

    python -m benchmarks.scale_accuracy PHOTOS TOOL --cache FOLDER [--sizes 1000 30000 222000]

TOOL makes any number of different pictures out of PHOTOS (`picture(number)` gives group and JPEG,
`photos(folder)` what it draws on). What is computed of a picture is kept in FOLDER, 1,000 pictures
a file, so that a rerun goes on; with `--cached`, the largest set that it holds stands for larger
ones. Two pictures of different groups are strangers: each pair of them that is joined is false.
What reduced pictures leave open is made again and looked at; of candidates by local features so
many as `--closer` says, drawn at random, and the count is scaled.

Crops and siblings of photos of the other half of the families are planted in each set. A look at a
pair does not depend on the size, so it is taken once; what does is whether the pair is proposed.

The rival is imagededup's rule: all pairs whose hash is within a distance, upright alone, the hash
by its documented arithmetic. Mean colors are not kept, so pictures of few shapes count as alike.
"""

import argparse
import importlib.util
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.fft import dct
from scipy.stats import chi2

from benchmarks.dedup_accuracy import Paths, prover, read_looks
from benchmarks.planted_sets import AREA, chosen_photos, cropped
from benchmarks.planted_siblings import SIBLINGS, judge, plant
from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.candidates import candidate_pairs
from webemo_curate.duplicates.compare import Proofs
from webemo_curate.duplicates.hamming import Hashes, Indices, pairs_within
from webemo_curate.duplicates.local_words import Words, local_words
from webemo_curate.duplicates.looks import PictureLooks
from webemo_curate.duplicates.methods import Mask, Prove, by_hash
from webemo_curate.duplicates.perceptual import HASH_SIDE, phashes, reduce_gray
from webemo_curate.duplicates.relation import Relation
from webemo_curate.evaluation.metrics import wilson_interval
from webemo_curate.runner.local_runner import usable_cores

CHUNK = 1000
RIVAL_DISTANCES = (8, 10)
KEYS = ("number", "group", "phash", "phash_mirrored", "gray")
RECALL = {"crop": "same"} | dict.fromkeys(SIBLINGS, "siblings")
"""What is planted, and what each is to be taken for."""

Arrays = dict[str, npt.NDArray[np.generic]]


class Planted(NamedTuple):
    """Edits of photos: arrays in one order, but for the photos'.

    Attributes
    ----------
    originals, words
        Local words of the photos, and of the edits.
    sort
        str, of each edit.
    source
        int64, which photo it is of.
    near
        bool, whether the hashes alone propose the pair.
    right
        bool, whether a look at the pair gives the right answer.
    """

    originals: list[Words]
    words: list[Words]
    sort: Paths
    source: Indices
    near: Mask
    right: Mask


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
        pictures = [Image.open(io.BytesIO(content)).convert("RGB") for _, content in made]
        reduced = np.stack([reduce_gray(picture) for picture in pictures])
        hashes = phashes(reduced)
        words = [local_words(picture) for picture in pictures]
        groups = np.array([group for group, _ in made])
        columns = (numbers, groups, hashes[:, 0], hashes[:, 1], reduced[:, 0])
        ends = np.cumsum([0, *(len(found) for found in words)])
        known = dict(zip(KEYS, columns, strict=True))
        np.savez(file, **known, words=np.concatenate(words), offsets=ends)
    with np.load(file) as stored:
        return {key: stored[key] for key in stored.files}


def rival_hashes(grays: npt.NDArray[np.uint8]) -> Hashes:
    """Hash reduced pictures as imagededup's PHash does: its median leaves out the mean."""
    low = dct(dct(grays.astype(np.float64), axis=1), axis=2)[:, :HASH_SIDE, :HASH_SIDE]
    low = low.reshape(len(grays), -1)
    bits = low >= np.median(low[:, 1:], axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(">u8")[:, 0].astype(np.uint64)


def poisson(count: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a Poisson count."""
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return float(low), float(chi2.ppf(0.975, 2 * count + 2) / 2)


def planted(data: Path, count: int) -> Planted:
    """Make edits of photos and take a look at each beside its photo."""
    photos = chosen_photos(data, "report")
    photos = photos[:: max(1, len(photos) // count)][:count]
    random, sorts, source, right = np.random.default_rng(0), [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder, files = Path(name), []
        for place, photo in enumerate(photos):
            (folder / photo.name).write_bytes(photo.read_bytes())
            crop = folder / f"{photo.stem}-crop.png"
            picture = Image.open(photo).convert("RGB")
            cropped(picture, random.uniform(*AREA), random).save(crop)
            edits = [("crop", crop), *plant(folder, photo, photos[place - 1], place)]
            for sort, file in edits:
                if sort in RECALL:
                    right.append(judge(folder, photo.name, file.name) == RECALL[sort])
                    sorts.append(sort)
                    source.append(place)
                    files.append(file.name)
        names = [*(photo.name for photo in photos), *files]
        looks, words = read_looks(folder, names, usable_cores())
    own, edited = np.array(source), np.arange(len(photos), len(names))
    apart = np.bitwise_count(looks.phash[own] ^ looks.phash[edited])
    near = apart <= DedupConfig().distance
    split = len(photos)
    return Planted(
        words[:split], words[split:], np.array(sorts, object), own, near, np.array(right)
    )


def closer_look(arrays: Arrays, tool: ModuleType, folder: Path) -> Prove:
    """Return what makes pairs of strangers again and looks at them; others are not looked at."""
    prover_of = prover(folder, DedupConfig(), usable_cores())
    group = arrays["group"]

    def prove(paths: Paths, pairs: tuple[Indices, Indices], whole: bool, mirrored: Mask) -> Proofs:
        strange = np.flatnonzero(group[pairs[0]] != group[pairs[1]])
        some = pairs[0][strange], pairs[1][strange]
        for row in np.unique(np.concatenate(some)).tolist():
            file = folder / str(paths[row])
            if not file.exists():
                file.write_bytes(tool.picture(int(arrays["number"][row]))[1])
        print(f"  {len(strange)} pairs of strangers looked at", flush=True)
        proofs = prover_of(paths, some, whole, mirrored[strange])
        size = len(mirrored)
        found = Proofs(np.zeros(size, np.int8), *np.zeros((2, size), np.float32))
        for all_of, seen in zip(found, proofs, strict=True):
            all_of[strange] = seen
        return found

    return prove


def report(arrays: Arrays, tool: ModuleType, edits: Planted, closer: int) -> None:
    """Print the false pairs of each method among these pictures, and what is found of edits."""
    group, size = arrays["group"], len(arrays["group"])
    print(f"{size:,} pictures, {size * (size - 1) // 2:,} pairs")
    hashes = rival_hashes(arrays["gray"])
    for distance in RIVAL_DISTANCES:
        pairs = pairs_within(hashes, hashes, distance)
        false = (pairs.left < pairs.right) & (group[pairs.left] != group[pairs.right])
        _line(f"imagededup PHash within {distance}", int(false.sum()))
    names = np.array([f"{number}.jpg" for number in arrays["number"]], dtype=object)
    colors = np.zeros((size, 4, 4, 3), np.uint8)
    looks = PictureLooks(names, arrays["phash"], arrays["phash_mirrored"], arrays["gray"], colors)
    with tempfile.TemporaryDirectory() as folder:
        prove = closer_look(arrays, tool, Path(folder))
        found = by_hash(looks, DedupConfig(), prove)
        strange = group[found.first] != group[found.second]
        _line("curate by hash, the same", int((strange & found.same).sum()))
        _line("curate by hash, siblings", int((strange & ~found.same).sum()))
        by_words(arrays, names, edits, prove, closer)


def by_words(arrays: Arrays, names: Paths, edits: Planted, prove: Prove, closer: int) -> None:
    """Print false pairs by local features, and recall; the edits' photos come first, they last."""
    pictures = np.split(arrays["words"], arrays["offsets"][1:-1])
    first, second = candidate_pairs([*edits.originals, *pictures, *edits.words])
    begin, size = len(edits.originals), len(pictures)
    print(f"  {len(first) / size:.2f} candidate pairs a picture by local features")
    key = first << 32 | second
    last = begin + size + np.arange(len(edits.words))
    proposed = edits.near | np.isin(edits.source << 32 | last, key)
    for sort, answer in RECALL.items():
        mine = edits.sort == sort
        for title, hits in (("proposed", proposed[mine]), (answer, (proposed & edits.right)[mine])):
            low, high = wilson_interval(int(hits.sum()), len(hits))
            print(f"  {sort}, {title}: {hits.sum()}/{len(hits)} ({low:.3f} to {high:.3f})")
    inside = (first >= begin) & (second < begin + size)
    one, other = first[inside] - begin, second[inside] - begin
    strange = np.flatnonzero(arrays["group"][one] != arrays["group"][other])
    random = np.random.default_rng(0)
    some = np.sort(random.permutation(strange)[:closer])
    proofs = prove(names, (one[some], other[some]), False, np.zeros(len(some), bool))
    times = len(strange) / max(1, len(some))
    for answer in (Relation.SAME, Relation.SIBLINGS):
        count = int((proofs.answer == answer).sum())
        _line(f"curate by features, {answer.name.lower()}", count, times)


def _line(name: str, count: int, times: float = 1.0) -> None:
    low, high = (times * bound for bound in poisson(count))
    print(f"  {name}: {times * count:.0f} false pairs ({low:.1f} to {high:.1f})", flush=True)


def gathered(parts: Sequence[Arrays], size: int) -> Arrays:
    """Join what is known of the first so many pictures."""
    joined = {key: np.concatenate([part[key] for part in parts])[:size] for key in KEYS}
    counts = np.concatenate([np.diff(part["offsets"]) for part in parts])[:size]
    offsets = np.r_[0, np.cumsum(counts)]
    words = np.concatenate([part["words"] for part in parts])[: offsets[-1]]
    return joined | {"words": words, "offsets": offsets}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print false pairs and recall at each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("tool", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 30_000, 222_000])
    parser.add_argument("--cached", action="store_true", help="make no more pictures")
    parser.add_argument("--planted", type=int, default=80, help="photos that are edited")
    parser.add_argument("--closer", type=int, default=2000, help="candidates looked at")
    options = parser.parse_args(arguments)
    options.cache.mkdir(parents=True, exist_ok=True)
    tool = open_tool(options.tool, options.photos)
    edits = planted(options.photos.parent, options.planted)
    for size in options.sizes:
        indices = range(-(-size // CHUNK))
        if options.cached:
            indices = range(len(list(options.cache.glob("chunk-*.npz"))))[: len(indices)]
        parts = [chunk(options.cache, index, tool) for index in indices]
        report(gathered(parts, size), tool, edits, options.closer)


if __name__ == "__main__":
    main()
