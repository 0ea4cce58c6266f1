"""Measure how many crops stay candidates as strangers are added, and at what cost.

    python -m benchmarks.crop_candidates DATA --strangers WORDS.npz... [--sizes 1000 222000]
        [--plant siblings]

DATA holds `web/` (photos) and `web_labels.csv` (file, family, neardup_group). Crops of one photo of
each near-duplicate group are planted in sets of strangers: the real ones of the `.npz` files
(words, offsets), and from the size on that those do not reach, drawn to their frequencies. Every
rule is a process of its own on the same file. Beside the present rule runs the one of before: words
of more than 30 pictures are ignored, four of the others make a pair. With `--window 1`, a set
stands for one `WINDOW` times as large: strangers between two keypoints grow as the set does.
With `--plant siblings` pictures of which a part is another's (`benchmarks.planted_siblings`) are
planted in place of crops. Recall is that of local words; of any method, with hashes and gray
values, which ask for the whole frame and do not depend on the size.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.measure import MEGABYTE, Cost, run
from benchmarks.planted_sets import (
    Crops,
    alike,
    alike_whole,
    chosen_photos,
    draw_words,
    plant,
    real_strangers,
)
from benchmarks.planted_siblings import SIBLINGS
from benchmarks.planted_siblings import plant as plant_edits
from webemo_curate.duplicates import neighbors
from webemo_curate.duplicates.candidates import candidate_pairs
from webemo_curate.duplicates.local_words import TABLES, Words, local_words

BANDS = ((0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.5, 0.9))
AIMS = {222_000: 0.985, 1_000_000: 0.97}
"""Least share of crops that are to be candidates, by any method, among so many pictures."""

MAX_PAIRS, MAX_SECONDS, MAX_BYTES = 3.0, 60.0, 2e9
"""Most pairs a picture; seconds on two idle cores and memory, at the smaller of these sizes."""

COMMON, MIN_SHARED = 30, 4
KEYPOINTS = 64
SMALLEST = 100
"""Short side in pixels from which a part of a photo can be exchanged."""

RULES = ("now", "before")
Counts = npt.NDArray[np.int64]


def words_up_to_common(pictures: Sequence[Words]) -> tuple[Counts, Counts]:
    """Pair pictures by the rule of before: `MIN_SHARED` words of at most `COMMON` pictures."""
    owners = np.repeat(np.arange(len(pictures)), [len(words) for words in pictures])
    words = np.concatenate(pictures)
    met = [_meet(words[:, table], owners) for table in range(TABLES)]
    pairs, counts = np.unique(np.concatenate(met), return_counts=True)
    enough = pairs[counts >= MIN_SHARED]
    return enough >> 32, enough & (2**32 - 1)


def _meet(words: Words, owners: Counts) -> Counts:
    """Return `first << 32 | second` for each word that two pictures share."""
    entries = np.unique(words.astype(np.int64) << 32 | owners)
    word, owner = entries >> 32, entries & (2**32 - 1)
    starts = np.flatnonzero(np.r_[True, word[1:] != word[:-1]])
    sizes = np.diff(np.r_[starts, len(word)])
    telling = np.repeat((sizes > 1) & (sizes <= COMMON), sizes)
    word, owner = word[telling], owner[telling]
    found = [np.empty(0, np.int64)]
    for step in range(1, COMMON):
        same = word[step:] == word[:-step]
        found.append(owner[:-step][same] << 32 | owner[step:][same])
    return np.concatenate(found)


def find(file: Path, rule: str, window: int) -> None:
    """Find candidates in a set and write them beside it."""
    neighbors.WINDOW = window
    with np.load(file) as stored:
        pictures = np.split(stored["words"], np.cumsum(stored["sizes"])[:-1])
    method = candidate_pairs if rule == "now" else words_up_to_common
    np.save(file.with_suffix(".npy"), np.stack(method(pictures)))


def measure(file: Path, crops: Crops, rule: str, options: argparse.Namespace) -> str:
    """Return what one rule finds, and its cost."""
    log = file.with_suffix(".log")
    own = ["-m", "benchmarks.crop_candidates", str(file), "--find", rule]
    limited = ["timeout", str(options.limit), sys.executable, *own, "--window", str(options.window)]
    try:
        cost = run(limited, log)
    except RuntimeError as error:
        return f"no result within {options.limit} s ({str(error).splitlines()[-1][:60]})"
    pairs = np.load(file.with_suffix(".npy"))
    pictures = len(np.load(file)["sizes"])
    found = _found(pairs, crops, pictures)
    within = [found[(crops.area >= a) & (crops.area < b)] for a, b in BANDS]
    bands = " ".join(_share(part) for part in within if len(part)) or _share(found)
    whole = found | crops.whole
    return (
        f"{bands}  any method {_share(whole)}  {pairs.shape[1] / pictures:6.3f} pairs a picture  "
        f"{cost.seconds:6.1f} s "
        f"{cost.cpu_seconds:6.1f} CPU-s {cost.peak_bytes / MEGABYTE:6.0f} MB"
        f"{_aims(float(whole.mean()), pairs.shape[1] / pictures, cost, options.size)}"
    )


def _aims(recall: float, pairs: float, cost: Cost, size: int) -> str:
    """Say which aims are met at a size that has any; CPU-seconds stand for two idle cores."""
    if size not in AIMS:
        return ""
    said = {
        f"recall {AIMS[size]}": recall >= AIMS[size],
        f"pairs {MAX_PAIRS:.0f}": pairs <= MAX_PAIRS,
    }
    if size == min(AIMS):
        said[f"{MAX_SECONDS:.0f} s on two cores"] = cost.cpu_seconds <= 2 * MAX_SECONDS
        said[f"{MAX_BYTES / 1e9:.0f} GB"] = cost.peak_bytes <= MAX_BYTES
    return "\n    aims: " + ", ".join(
        f"{aim} {'met' if met else 'MISSED'}" for aim, met in said.items()
    )


def _found(pairs: Counts, crops: Crops, pictures: int) -> npt.NDArray[np.bool_]:
    """Return which crops are paired with their original; originals come first, crops last."""
    first_crop = pictures - len(crops.crops)
    wanted = np.stack([crops.source, first_crop + np.arange(len(crops.crops))])
    key = pairs[0] << 32 | pairs[1]
    return np.isin(wanted[0] << 32 | wanted[1], key)


def _share(found: npt.NDArray[np.bool_]) -> str:
    """Return a share with half the width of its 95 % interval (Agresti and Coull)."""
    count = len(found) + 4
    share = (found.sum() + 2) / count
    return f"{found.mean():.4f}~{1.96 * np.sqrt(share * (1 - share) / count):.4f}"


def main() -> None:
    """Print recall by area, pairs and cost of each rule at each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--strangers", type=Path, nargs="+", default=[])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 30_000, 222_000])
    parser.add_argument("--half", choices=["choose", "report"], default="report")
    parser.add_argument("--plant", choices=["crops", "siblings"], default="crops")
    parser.add_argument("--crops", type=int, default=4, help="of each photo")
    parser.add_argument("--rules", nargs="+", choices=RULES, default=RULES)
    parser.add_argument("--window", type=int, default=neighbors.WINDOW)
    parser.add_argument("--limit", type=int, default=600, help="seconds for each")
    parser.add_argument("--find", choices=RULES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.find:
        find(options.data, options.find, options.window)
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Measure every size and rule."""
    photos = chosen_photos(options.data, options.half)
    siblings = options.plant == "siblings"
    crops = plant_siblings(photos) if siblings else plant(photos, options.crops)
    pool, sizes = real_strangers(options.strangers)
    areas = "" if siblings else f"; areas {BANDS}"
    print(f"{len(crops.crops)} {options.plant} of {len(crops.originals)} photos{areas}")
    print(
        f"{len(sizes)} real strangers; a keypoint shares 24 first bits with {alike(pool, 24):.2f}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            kind = "real" if size <= len(sizes) else "drawn"
            if kind == "real":
                words, counts = pool[: sizes[:size].sum()], sizes[:size]
            else:
                words, counts = _drawn(pool, size)
            print(f"{size:>9,} {kind:<5} 24 bits with {alike(words, 24):.2f}")
            file = Path(folder, "set.npz")
            _write(file, words, counts, crops)
            del words
            options.size = size
            for rule in options.rules:
                print(f"  {rule:<7} {measure(file, crops, rule, options)}", flush=True)


def plant_siblings(photos: Sequence[Path]) -> Crops:
    """Exchange, move and turn a part of photos that are not tiny; area is 1, as all shows."""
    large = [file for file in photos if min(Image.open(file).size) >= SMALLEST]
    originals, siblings, source, whole = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for place, file in enumerate(large):
            photo = Image.open(file).convert("RGB")
            originals.append(local_words(photo))
            for sort, edit in plant_edits(Path(folder), file, large[place - 1], place):
                if sort in SIBLINGS:
                    picture = Image.open(edit).convert("RGB")
                    siblings.append(local_words(picture))
                    source.append(place)
                    whole.append(alike_whole(photo, picture))
    area = np.ones(len(source))
    return Crops(originals, siblings, np.array(source), area, np.array(whole))


def _drawn(pool: Words, size: int) -> tuple[Words, Counts]:
    random = np.random.default_rng(size)
    return draw_words(pool, size * KEYPOINTS, random), np.full(size, KEYPOINTS)


def _write(file: Path, words: Words, counts: Counts, crops: Crops) -> None:
    planted = [*crops.originals, *crops.crops]
    own = np.array([len(picture) for picture in planted])
    split = len(crops.originals)
    np.savez(
        file,
        words=np.concatenate([*crops.originals, words, *crops.crops]),
        sizes=np.concatenate([own[:split], counts, own[split:]]),
    )


if __name__ == "__main__":
    main()
