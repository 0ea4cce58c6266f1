"""Count false pairs and found copies among drawn pictures of little structure, and framed ones.

    python -m benchmarks.drawn_sets FOLDER --plain 500 --framed 200

Draws flat, gradient, night and horizon pictures, and soft ones under an agency's grid of marks
and footer, all different, into FOLDER (its earlier ones are deleted), with an exact copy, a
re-scaled copy and a crop of some. Counts pairs of different pictures that are found, with 95 %
Poisson intervals, and the copies found, with Wilson intervals; beside it a bare pHash at 8 and 10,
which is what imagededup compares. Of the crops of gradients it counts those that another gradient,
between other colors, equals to one level: nothing in such a crop says what it was cut out of.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.dedup_accuracy import closed, found_pairs, ordered, prover, read_looks
from benchmarks.scale_accuracy import poisson
from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.geometry import match, view
from webemo_curate.duplicates.looks import PictureLooks
from webemo_curate.duplicates.methods import by_features, by_grays, by_hash
from webemo_curate.intervals import wilson_interval

WIDTH, HEIGHT = 330, 230
FOOTER = 20
EVERY = 3
"""One picture of so many gets copies."""

KEPT_OF_CROP = 0.85
Random = np.random.Generator
Pair = tuple[str, str]
Color = tuple[int, int, int]
DISTANCES = (8, 10)
SHOWN = 10
COMPARED = 20


@dataclass(frozen=True)
class Tally:
    """What one method found.

    Attributes
    ----------
    false
        Pairs of different pictures.
    found
        By kind and sort of copy: copies found, of how many.
    """

    false: list[Pair]
    found: dict[tuple[str, str], tuple[int, int]]


def flat(random: Random) -> Image.Image:
    """Draw one color."""
    return Image.new("RGB", (WIDTH, HEIGHT), _color(random))


def gradient(random: Random) -> Image.Image:
    """Draw one color that passes into another, at any angle."""
    angle = random.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    place = (rows * np.sin(angle) + columns * np.cos(angle)) / (2 * np.sqrt(2)) + 0.5
    return _between(_color(random), _color(random), place)


def other_gradient(random: Random) -> tuple[Image.Image, Image.Image]:
    """Draw the crop of a gradient, and a gradient of the crop's size between other colors."""
    crop = COPIES["crop"](gradient(random))
    corners = np.asarray(crop)[[0, 0, -1, -1], [0, -1, 0, -1]].astype(float)
    across = np.linspace(0, 1, crop.width)[None, :, None]
    down = np.linspace(0, 1, crop.height)[:, None, None]
    drawn = corners[0] + (corners[1] - corners[0]) * across + (corners[2] - corners[0]) * down
    return crop, Image.fromarray(drawn.clip(0, 255).round().astype(np.uint8))


def levels_apart(one: Image.Image, other: Image.Image) -> int:
    """Return the largest difference of two pictures of one size."""
    return int(np.abs(np.asarray(one, np.int16) - np.asarray(other)).max())


def night(random: Random) -> Image.Image:
    """Draw stars and a moon."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), tuple(random.integers(0, 24, 3).tolist()))
    pen = ImageDraw.Draw(picture)
    for _ in range(random.integers(20, 60)):
        pen.point(_place(random), fill=(220, 220, 220))
    x, y = _place(random)
    size = int(random.integers(6, 22))
    pen.ellipse((x - size, y - size, x + size, y + size), fill=(230, 230, 220))
    return picture


def horizon(random: Random) -> Image.Image:
    """Draw a sky over dark ground, and someone between."""
    rows = np.broadcast_to(np.linspace(0, 1, HEIGHT)[:, None], (HEIGHT, WIDTH))
    sky = np.asarray(_between(_color(random), _color(random), rows)).astype(float)
    ground = int(random.integers(HEIGHT // 2, HEIGHT - 30))
    sky[ground:] *= 0.35
    picture = Image.fromarray(sky.astype(np.uint8))
    x, size = int(random.integers(20, WIDTH - 20)), int(random.integers(14, 40))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((x - size // 6, ground - size // 2, x + size // 6, ground + size // 2), fill=0)
    pen.ellipse((x - size // 4, ground - size, x + size // 4, ground - size // 2), fill=0)
    return picture


def framed(random: Random) -> Image.Image:
    """Draw a soft picture under what an agency puts on all of its own."""
    cells = Image.fromarray(random.integers(0, 256, (5, 7, 3), dtype=np.uint8))
    picture = cells.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    picture = picture.filter(ImageFilter.GaussianBlur(6))
    pen = ImageDraw.Draw(picture)
    for y in range(15, HEIGHT - FOOTER - 10, 45):
        for x in range(20, WIDTH, 60):
            pen.rectangle((x, y, x + 9, y + 9), outline=(205, 205, 205))
            pen.line((x - 12, y + 20, x + 10, y - 8), fill=(225, 225, 225))
    pen.rectangle((0, HEIGHT - FOOTER, WIDTH, HEIGHT), fill=(36, 41, 56))
    pen.text((26, HEIGHT - FOOTER + 3), "picturehouse", fill="white")
    pen.text((255, HEIGHT - FOOTER + 5), f"id {random.integers(10**6)}", fill=(170, 170, 170))
    return picture


PLAIN: dict[str, Callable[[Random], Image.Image]] = {
    "flat": flat,
    "gradient": gradient,
    "night": night,
    "horizon": horizon,
}
COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "copy": lambda picture: picture,
    "smaller": lambda picture: picture.resize((round(WIDTH * 0.6), round(HEIGHT * 0.6))),
    "crop": lambda picture: picture.crop(
        (0, 0, round(WIDTH * KEPT_OF_CROP), round(HEIGHT * KEPT_OF_CROP))
    ),
}


def draw(folder: Path, plain: int, framed_ones: int) -> list[str]:
    """Draw the pictures and copies of some.

    Parameters
    ----------
    folder : Path
        Where they are written: `KIND-NUMBER-original.png`, and JPEGs of the copies.
    plain, framed_ones : int
        How many different ones of little structure, and of framed ones.

    Returns
    -------
    list of str
        All file names, in order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*-*-*.*"):
        old.unlink()
    kinds = [list(PLAIN)[number % len(PLAIN)] for number in range(plain)]
    for number, kind in enumerate([*kinds, *["framed"] * framed_ones]):
        picture = PLAIN.get(kind, framed)(np.random.default_rng(number))
        picture.save(folder / f"{kind}-{number:04d}-original.png")
        if number // len(PLAIN) % EVERY == 0:
            for sort, change in COPIES.items():
                change(picture).save(folder / f"{kind}-{number:04d}-{sort}.jpg", quality=85)
    return sorted(file.name for file in folder.iterdir())


def tally(names: list[str], found: set[Pair]) -> Tally:
    """Count false pairs, and the copies that are joined to their original."""
    false = [pair for pair in found if pair[0].split("-")[1] != pair[1].split("-")[1]]
    joined = closed(found - set(false))
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for name in names:
        kind, number, sort = Path(name).stem.split("-")
        if sort != "original":
            hits, total = counts.get((kind, sort), (0, 0))
            hit = ordered(f"{kind}-{number}-original.png", name) in joined
            counts[kind, sort] = hits + hit, total + 1
    return Tally(sorted(false), counts)


def measure(folder: Path, names: list[str]) -> dict[str, Tally]:
    """Hold all pictures of a folder against each other.

    Parameters
    ----------
    folder : Path
        From `draw`.
    names : list of str
        Its files.

    Returns
    -------
    dict of str to Tally
        By method; of `siblings` the false pairs alone count.
    """
    looks, words = read_looks(folder, names)
    prove, config = prover(folder), DedupConfig()
    found = by_hash(looks, config, prove), by_grays(looks, config, prove)
    found += (by_features(looks, words, config, prove),)
    same, siblings = found_pairs(names, *found)
    sets = {"curate dedup": same, "curate dedup, siblings": siblings}
    sets |= {f"pHash within {bits}": hashed(looks, names, bits) for bits in DISTANCES}
    return {method: tally(names, pairs) for method, pairs in sets.items()}


def hashed(looks: PictureLooks, names: list[str], distance: int) -> set[Pair]:
    """Return the pairs of pictures whose bare pHash, as imagededup compares it, is near."""
    apart = np.bitwise_count(looks.phash[:, None] ^ looks.phash[None])
    first, second = np.nonzero(np.triu(apart <= distance, 1))
    return {ordered(names[a], names[b]) for a, b in zip(first, second, strict=True)}


def agreeing(folder: Path, names: list[str], kind: str) -> tuple[list[int], list[int]]:
    """Count keypoints, or cells of cut-outs, that agree: whether fewer could prove a crop.

    Parameters
    ----------
    folder : Path
        From `draw`.
    names : list of str
        Its files.
    kind : str
        Of which pictures.

    Returns
    -------
    crops, strangers : list of int
        Of each crop and its original, and of the first `COMPARED` originals with one another.
    """
    own = [name for name in names if name.startswith(f"{kind}-")]
    views = {name: view(Image.open(folder / name).convert("RGB")) for name in own}
    originals = [name for name in own if "-original" in name]
    crops = [name for name in own if "-crop" in name]
    sources = [name.replace("-crop.jpg", "-original.png") for name in crops]
    return (
        [match(views[a], views[b]).inliers for a, b in zip(sources, crops, strict=True)],
        [match(views[a], views[b]).inliers for a, b in combinations(originals[:COMPARED], 2)],
    )


def main() -> None:
    """Draw, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plain", type=int, default=500)
    parser.add_argument("--framed", type=int, default=200)
    options = parser.parse_args()
    names = draw(options.folder, options.plain, options.framed)
    print(f"{options.plain} plain and {options.framed} framed pictures, {len(names)} with copies")
    for kind in PLAIN:
        crops, strangers = agreeing(options.folder, names, kind)
        print(
            f"{kind}: keypoints or cells that agree, crops {min(crops)} to {max(crops)}, "
            f"{len(strangers)} pairs of strangers up to {max(strangers)}"
        )
    apart = [other_gradient(np.random.default_rng(number)) for number in range(options.plain)]
    most = max(levels_apart(*pair) for pair in apart)
    print(
        f"gradient: of each of {len(apart)} crops another gradient is {most} levels apart at most"
    )
    for method, counted in measure(options.folder, names).items():
        low, high = poisson(len(counted.false))
        print(f"{method}: {len(counted.false)} false pairs ({low:.1f} to {high:.1f})")
        for pair in counted.false[:SHOWN]:
            print("   ", *pair)
        for (kind, sort), (hits, total) in sorted(counted.found.items()):
            low, high = wilson_interval(hits, total)
            print(f"  {kind}, {sort}: {hits}/{total} found ({low:.3f} to {high:.3f})")


def _color(random: Random) -> tuple[int, int, int]:
    red, green, blue = random.integers(0, 256, 3).tolist()
    return red, green, blue


def _place(random: Random) -> tuple[int, int]:
    x, y = random.integers(0, (WIDTH, HEIGHT)).tolist()
    return x, y


def _between(one: Color, other: Color, place: npt.NDArray[np.float64]) -> Image.Image:
    mixed = np.array(one) * (1 - place[..., None]) + np.array(other) * place[..., None]
    return Image.fromarray(mixed.round().astype(np.uint8))


if __name__ == "__main__":
    main()
