"""Make sets of pictures' words in which crops are planted among real and drawn strangers."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.local_words import TABLES, WORD_BITS, Words, local_words
from webemo_curate.duplicates.perceptual import phashes, reduce_gray
from webemo_curate.duplicates.plain import is_flat, is_plain, plain_pairs

AREA = (0.5, 0.9)
"""Share of the original that a crop shows."""

ASPECT, SCALE, QUALITY = 0.25, (0.7, 1.3), (70, 92)
"""A crop's change of aspect (standard: log, at most), of size, and its JPEG quality."""

HALVINGS = 3
"""A drawn keypoint takes each bit of its model's neighbor with a chance of 2**-3: of .05 to .5 what
comes nearest to how often real keypoints begin with the same 24 to 48 bits is .1 to .15."""

STEP = 2**21
"""Keypoints drawn at a time, which bounds memory."""


@dataclass(frozen=True)
class Crops:
    """Photos and crops of them.

    Attributes
    ----------
    originals, crops
        Words of each.
    source
        Which original each crop is of.
    area
        Share of the original that it shows.
    whole
        Whether hashes or gray values propose the pair, as they do among any number of pictures.
    """

    originals: list[Words]
    crops: list[Words]
    source: npt.NDArray[np.int64]
    area: npt.NDArray[np.float64]
    whole: npt.NDArray[np.bool_]


def chosen_photos(data: Path, half: str) -> list[Path]:
    """Return the first photo of each near-duplicate group of half the families.

    Parameters
    ----------
    data : Path
        With `web/` and `web_labels.csv` (file, family, neardup_group).
    half : str
        'choose', where constants are chosen, or 'report'.

    Returns
    -------
    list of Path
        In the order of names.
    """
    with (data / "web_labels.csv").open() as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: row["file"])
    firsts: dict[str, dict[str, str]] = {}
    for row in rows:
        firsts.setdefault(row["neardup_group"] or row["file"], row)
    odd = half == "report"
    mine = [row for row in firsts.values() if sha256(row["family"].encode()).digest()[0] % 2 == odd]
    return [data / "web" / row["file"] for row in mine]


def plant(photos: Sequence[Path], each: int) -> Crops:
    """Cut `each` crops out of every photo, re-scaled and compressed again."""
    random = np.random.default_rng(0)
    originals, crops, source, area, whole = [], [], [], [], []
    for place, file in enumerate(photos):
        photo = Image.open(file).convert("RGB")
        originals.append(local_words(photo))
        for _ in range(each):
            share = random.uniform(*AREA)
            crop = cropped(photo, share, random)
            crops.append(local_words(crop))
            source.append(place)
            area.append(share)
            whole.append(alike_whole(photo, crop))
    return Crops(originals, crops, np.array(source), np.array(area), np.array(whole))


def alike_whole(photo: Image.Image, other: Image.Image) -> bool:
    """Tell whether a pair is a candidate without local words."""
    reduced = np.stack([reduce_gray(photo), reduce_gray(other)])
    upright = phashes(reduced)[:, 0]
    near = np.bitwise_count(upright[0] ^ upright[1]) <= DedupConfig().distance
    grays = reduced[:, 0]
    plain = np.flatnonzero(is_plain(grays))
    return bool(near and not is_flat(grays).any()) or len(plain_pairs(grays, plain)[0]) > 0


def cropped(photo: Image.Image, share: float, random: np.random.Generator) -> Image.Image:
    """Cut a share of the area out of a photo, re-scale it and compress it again."""
    stretch = np.exp(random.uniform(-ASPECT, ASPECT))
    stretch = np.clip(stretch, share, 1 / share)  # neither side may exceed the photo's
    width = int(photo.width * np.sqrt(share * stretch))
    height = int(photo.height * np.sqrt(share / stretch))
    left = int(random.integers(photo.width - width + 1))
    top = int(random.integers(photo.height - height + 1))
    scale = random.uniform(*SCALE)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    cut = photo.crop((left, top, left + width, top + height)).resize(size, Image.Resampling.LANCZOS)
    content = io.BytesIO()
    cut.save(content, "JPEG", quality=int(random.integers(*QUALITY)))
    return Image.open(content).convert("RGB")


def real_strangers(files: Sequence[Path]) -> tuple[Words, npt.NDArray[np.int64]]:
    """Read words, and how many keypoints each picture has, of `.npz` files (words, offsets)."""
    parts = [np.load(file) for file in files]
    words = np.concatenate([part["words"] for part in parts])
    return words, np.concatenate([np.diff(part["offsets"]) for part in parts])


def draw_words(pool: Words, count: int, random: np.random.Generator) -> Words:
    """Draw keypoints as frequent as those of a pool, in any number.

    Parameters
    ----------
    pool : ndarray of uint32, shape (keypoints, TABLES)
        Real ones.
    count : int
        How many to draw.
    random : numpy.random.Generator
        Decides.

    Returns
    -------
    ndarray of uint32, shape (count, TABLES)
        Each a keypoint of the pool that has taken some bits of its next neighbor in the order of
        one table's words.
    """
    neighbors = np.empty((TABLES, len(pool)), np.int64)
    for table in range(TABLES):
        turned = np.roll(pool, -table, axis=1)
        order = np.lexsort(turned.T[::-1])
        neighbors[table, order] = np.roll(order, -1)
    steps = [min(STEP, count - start) for start in range(0, count, STEP)]
    return np.concatenate([_drawn(pool, neighbors, step, random) for step in steps])


def _drawn(
    pool: Words, neighbors: npt.NDArray[np.int64], count: int, random: np.random.Generator
) -> Words:
    models = random.integers(0, len(pool), count)
    other = neighbors[random.integers(0, TABLES, count), models]
    taken = np.full((count, TABLES), 2**WORD_BITS - 1, np.uint32)
    for _ in range(HALVINGS):
        taken &= random.integers(0, 2**32, taken.shape, np.uint32)
    drawn = pool[models]
    drawn ^= (drawn ^ pool[other]) & taken
    return drawn


def alike(words: Words, bits: int) -> float:
    """Return with how many others a keypoint shares the first bits of a word, on average."""
    first = np.sort(words[:, 0] >> np.uint32(WORD_BITS - bits))
    _, counts = np.unique(first, return_counts=True)
    return float((counts.astype(np.float64) ** 2).sum() / len(words) - 1)
