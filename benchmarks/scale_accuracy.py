"""Count false pairs, and recall of crops and siblings, in growing sets, beside imagededup's PHash.

    python -m benchmarks.scale_accuracy PHOTOS TOOL --cache FOLDER [--sizes 1000 30000 222000]

TOOL makes any number of different pictures out of PHOTOS (`benchmarks.made_strangers`). Two of
different groups are strangers: each pair of them that is joined is false. What reduced pictures
leave open is made again and looked at; of candidates by local features so many as `--closer` says,
drawn at random, and the count is scaled. With `--cached` no pictures are made: where a set would be
larger than the cache, false pairs by hash are those among all that it holds, times the pairs of the
one by the pairs of the other; words are drawn to the frequency of those held, and of the candidates
among them as large a share counts as false as among those held.

Crops and siblings of photos of the half of the families on which no constant is chosen are planted
in each set. A look at a pair does not depend on the size, so it is taken once; what does is whether
the pair is proposed.

The rival is imagededup's rule: all pairs whose hash is within a distance, upright alone, the hash
by its documented arithmetic. Mean colors are not kept, so pictures of few shapes count as alike.
"""

import argparse
import tempfile
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.fft import dct
from scipy.stats import chi2

from benchmarks.dedup_accuracy import Paths, prover, read_looks
from benchmarks.made_strangers import Arrays, open_tool, strangers
from benchmarks.planted_sets import AREA, chosen_photos, cropped, draw_words
from benchmarks.planted_siblings import SIBLINGS, judge, plant
from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.candidates import candidate_pairs
from webemo_curate.duplicates.hamming import pairs_within
from webemo_curate.duplicates.hash_keys import Hashes, Indices
from webemo_curate.duplicates.local_words import KEYPOINTS, Words
from webemo_curate.duplicates.looks import PictureLooks
from webemo_curate.duplicates.methods import Prove, by_hash
from webemo_curate.duplicates.perceptual import HASH_SIDE
from webemo_curate.duplicates.placings import Mask, Placings, Proofs
from webemo_curate.duplicates.relation import Relation, RelationLimits
from webemo_curate.intervals import wilson_interval
from webemo_curate.machine import usable_cores

RIVAL_DISTANCES = (8, 10)
RECALL = {"crop": "same"} | dict.fromkeys(SIBLINGS, "siblings")
"""What is planted, and what each is to be taken for."""


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


class Candidates(NamedTuple):
    """What is proposed in a set by local features.

    Attributes
    ----------
    planted
        bool, which edits are proposed with their photo.
    first, second
        int64, pairs of the set's own pictures.
    """

    planted: Mask
    first: Indices
    second: Indices


def planted(data: Path, count: int) -> Planted:
    """Make edits of photos and take a look at each beside its photo."""
    photos = chosen_photos(data, "report")
    photos = photos[:: max(1, len(photos) // count)][:count]
    sorts, source, right = [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder, files = Path(name), []
        for place, photo in enumerate(photos):
            for sort, file in _edits(folder, photo, photos[place - 1], place):
                right.append(judge(folder, photo.name, file.name) == RECALL[sort])
                sorts.append(sort)
                source.append(place)
                files.append(file.name)
        names = [*(photo.name for photo in photos), *files]
        looks, words = read_looks(folder, names, usable_cores())
    own, split = np.array(source), len(photos)
    apart = np.bitwise_count(looks.phash[own] ^ looks.phash[split:])
    near = apart <= DedupConfig().distance
    kinds = np.array(sorts, object)
    return Planted(words[:split], words[split:], kinds, own, near, np.array(right))


def _edits(folder: Path, photo: Path, other: Path, seed: int) -> list[tuple[str, Path]]:
    """Write a photo, a crop of it and its siblings; returns sort and file of each edit."""
    (folder / photo.name).write_bytes(photo.read_bytes())
    random, crop = np.random.default_rng(seed), folder / f"{photo.stem}-crop.png"
    picture = Image.open(photo).convert("RGB")
    cropped(picture, random.uniform(*AREA), random).save(crop)
    edits = [("crop", crop), *plant(folder, photo, other, seed)]
    return [(sort, file) for sort, file in edits if sort in RECALL]


def rival_hashes(grays: npt.NDArray[np.uint8]) -> Hashes:
    """Hash reduced pictures as imagededup's PHash does: its median leaves out the mean."""
    low = dct(dct(grays.astype(np.float64), axis=1), axis=2)[:, :HASH_SIDE, :HASH_SIDE]
    low = low.reshape(len(grays), -1)
    bits = low >= np.median(low[:, 1:], axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(">u8")[:, 0].astype(np.uint64)


def closer_look(held: Arrays, tool: ModuleType, folder: Path) -> Prove:
    """Return what makes pairs of strangers again and looks at them; others are not looked at."""
    look, group = prover(folder, usable_cores()), held["group"]

    def prove(paths: Paths, pairs: tuple[Indices, Indices], whole: bool, mirrored: Mask) -> Proofs:
        strange = group[pairs[0]] != group[pairs[1]]
        some = pairs[0][strange], pairs[1][strange]
        for row in np.unique(np.concatenate(some)).tolist():
            (folder / str(paths[row])).write_bytes(tool.picture(int(held["number"][row]))[1])
        print(f"  {strange.sum()} pairs of strangers looked at", flush=True)
        found = Proofs(Placings.none(len(mirrored)), Placings.none(len(mirrored)))
        for all_of, seen in zip(found, look(paths, some, whole, mirrored[strange]), strict=True):
            all_of.put(strange, seen)
        return found

    return prove


def report(held: Arrays, size: int, tool: ModuleType, edits: Planted, closer: int) -> None:
    """Print the false pairs of each method among so many pictures, and what is found of edits."""
    group, count = held["group"], len(held["group"])
    times = size * (size - 1) / (count * (count - 1))
    print(f"{size:,} pictures, {size * (size - 1) // 2:,} pairs; {count:,} real ones")
    hashes = rival_hashes(held["gray"])
    for distance in RIVAL_DISTANCES:
        pairs = pairs_within(hashes, None, distance)
        false = group[pairs.left] != group[pairs.right]
        _line(f"imagededup PHash within {distance}", int(false.sum()), times)
    names = np.array([f"{number}.jpg" for number in held["number"]], dtype=object)
    colors = np.zeros((count, 4, 4, 3), np.uint8)
    looks = PictureLooks(names, held["phash"], held["phash_mirrored"], held["gray"], colors)
    with tempfile.TemporaryDirectory() as folder:
        prove = closer_look(held, tool, Path(folder))
        found = by_hash(looks, DedupConfig(), prove)
        strange = group[found.first] != group[found.second]
        _line("curate by hash, the same", int((strange & found.same).sum()), times)
        _line("curate by hash, siblings", int((strange & ~found.same).sum()), times)
        by_words(held, size, edits, prove, closer)


def by_words(held: Arrays, size: int, edits: Planted, prove: Prove, closer: int) -> None:
    """Print false pairs by local features, and what is found of edits."""
    found = candidates(np.split(held["words"], held["offsets"][1:-1]), edits)
    group, count = held["group"], len(held["group"])
    strange = np.flatnonzero(group[found.first] != group[found.second])
    some = np.sort(np.random.default_rng(0).permutation(strange)[:closer])
    names = np.array([f"{number}.jpg" for number in held["number"]], dtype=object)
    pairs = found.first[some], found.second[some]
    upright = np.zeros(len(some), bool)
    showed = prove(names, pairs, False, upright).keypoints
    answers = RelationLimits.of(DedupConfig()).answers(showed, upright)
    proposed = len(strange)
    if size > count:
        words = draw_words(held["words"], size * KEYPOINTS, np.random.default_rng(size))
        found = candidates(list(words.reshape(size, KEYPOINTS, -1)), edits)
        proposed = len(found.first)
    print(f"  {proposed / size:.2f} candidate pairs of strangers a picture by local features")
    for answer in (Relation.SAME, Relation.SIBLINGS):
        wrong = int((answers == answer).sum())
        _line(f"curate by features, {answer.name.lower()}", wrong, proposed / max(1, len(some)))
    _recall(found.planted | edits.near, edits)


def candidates(pictures: list[Words], edits: Planted) -> Candidates:
    """Find candidates among pictures; the edits' photos come first, the edits last."""
    first, second = candidate_pairs([*edits.originals, *pictures, *edits.words])
    begin, end = len(edits.originals), len(edits.originals) + len(pictures)
    wanted = edits.source << 32 | (end + np.arange(len(edits.words)))
    inside = (first >= begin) & (second < end)
    proposed = np.isin(wanted, first << 32 | second)
    return Candidates(proposed, first[inside] - begin, second[inside] - begin)


def _recall(proposed: Mask, edits: Planted) -> None:
    """Print the share of each sort that is proposed, and that is found."""
    for sort, answer in RECALL.items():
        mine = edits.sort == sort
        for title, hits in (("proposed", proposed), (answer, proposed & edits.right)):
            count = int(hits[mine].sum())
            low, high = wilson_interval(count, int(mine.sum()))
            print(f"  {sort}, {title}: {count}/{mine.sum()} ({low:.3f} to {high:.3f})", flush=True)


def poisson(count: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a Poisson count."""
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return float(low), float(chi2.ppf(0.975, 2 * count + 2) / 2)


def _line(name: str, count: int, times: float) -> None:
    low, high = (times * bound for bound in poisson(count))
    print(f"  {name}: {times * count:.0f} false pairs ({low:.1f} to {high:.1f})", flush=True)


def main() -> None:
    """Print false pairs and recall at each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("tool", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 30_000, 222_000])
    parser.add_argument("--cached", action="store_true", help="make no more pictures")
    parser.add_argument("--planted", type=int, default=80, help="photos that are edited")
    parser.add_argument("--closer", type=int, default=2000, help="candidates looked at")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    tool = open_tool(options.tool, options.photos)
    edits = planted(options.photos.parent, options.planted)
    for size in options.sizes:
        held = strangers(options.cache, tool, size, options.cached)
        report(held, size, tool, edits, options.closer)


if __name__ == "__main__":
    main()
