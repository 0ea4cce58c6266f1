"""Test whether planted siblings, with a changed part, are told from planted copies.

    python -m benchmarks.planted_siblings DATA [--half report] [--photos 80] [--sheet FILE]

DATA holds `web/` (photos) and `web_labels.csv` (file, family, neardup_group). A part of each photo
(an ellipse where skin and detail are densest: a face, a hand, the thing shown) is exchanged for
that of another photo, moved aside, or turned. Against these stand captions, words, marks, frames,
recoloring and recompression. Every edit is re-scaled and compressed again. Photo and edit are
judged by all methods of `curate dedup`; edits that hardly show (two flat walls exchanged) are left
out and counted.
"""

import argparse
import io
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, ImageOps

from benchmarks.contact_sheet import contact_sheet
from benchmarks.dedup_accuracy import found_pairs, prover, read_looks
from benchmarks.planted_sets import chosen_photos
from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.methods import by_features, by_grays, by_hash
from webemo_curate.intervals import wilson_interval

SHARE = (0.03, 0.1)
"""Share of the photo that the ellipse takes."""

TALL = 1.3
"""Height of the ellipse by its width: a face's."""

FEATHER = 2.0
SCALE, QUALITY = (0.7, 1.1), (60, 90)
TURN = (40, 180)
VISIBLE = 12.0
"""Mean change in levels within the ellipse from which a part is another."""

SHEET_PAIRS = 60

Pixels = npt.NDArray[np.uint8]
Random = np.random.Generator
Edit = Callable[[Pixels, Pixels, Random], Pixels]


class Part(NamedTuple):
    """An ellipse of a photo: its middle and half axes in pixels."""

    x: int
    y: int
    right: int
    down: int

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns around it."""
        return (
            slice(self.y - self.down, self.y + self.down),
            slice(self.x - self.right, self.x + self.right),
        )


def find_part(photo: Pixels, share: float) -> Part:
    """Return the ellipse where skin and detail are densest."""
    height, width = photo.shape[:2]
    right = int(np.sqrt(share * height * width / np.pi / TALL))
    right = min(right, width // 4, int(height / TALL) // 4)
    down = int(right * TALL)
    _, red, blue = cv2.split(cv2.cvtColor(photo, cv2.COLOR_RGB2YCrCb))
    skin = (red > 133) & (red < 173) & (blue > 77) & (blue < 127)
    gray = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = np.minimum(np.abs(gray - cv2.GaussianBlur(gray, (0, 0), 4)) / 20, 1)
    dense = cv2.blur((skin + detail).astype(np.float32), (2 * right, 2 * down))
    inner = dense[down : height - down, right : width - right]
    y, x = np.unravel_index(int(inner.argmax()), inner.shape)
    return Part(int(x) + right, int(y) + down, right, down)


def ellipse(photo: Pixels, part: Part) -> npt.NDArray[np.float32]:
    """Return the weight of an ellipse with soft edges; shape (height, width, 1)."""
    mask = np.zeros(photo.shape[:2], np.float32)
    cv2.ellipse(mask, (part.x, part.y), (part.right - 3, part.down - 3), 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), FEATHER), np.float32)[..., None]


def exchanged(photo: Pixels, other: Pixels, random: Random) -> Pixels:
    """Put another photo's part, in this one's colors, into its place."""
    share = random.uniform(*SHARE)
    part, theirs = find_part(photo, share), find_part(other, share)
    own = photo[part.box].astype(np.float32)
    new = cv2.resize(other[theirs.box], own.shape[1::-1]).astype(np.float32)
    new = (new - new.mean((0, 1))) / (new.std((0, 1)) + 1) * own.std((0, 1)) + own.mean((0, 1))
    laid = photo.astype(np.float32)
    laid[part.box] = new
    return blended(photo, laid, ellipse(photo, part))


def moved(photo: Pixels, _: Pixels, random: Random) -> Pixels:
    """Move a part aside by half its size or more, and fill the place that it leaves."""
    part = find_part(photo, random.uniform(*SHARE))
    weight = ellipse(photo, part)
    filled = cv2.inpaint(photo, (weight[..., 0] > 0.02).astype(np.uint8), 5, cv2.INPAINT_TELEA)
    side = 1 if part.x < photo.shape[1] / 2 else -1
    step = side * part.right * random.uniform(0.5, 1.5), part.down * random.uniform(-0.2, 0.2)
    shift = np.array([[1, 0, step[0]], [0, 1, step[1]]], np.float32)
    size = photo.shape[1::-1]
    weight = cv2.warpAffine(weight[..., 0], shift, size)[..., None]
    return blended(filled, cv2.warpAffine(photo, shift, size).astype(np.float32), weight)


def turned(photo: Pixels, _: Pixels, random: Random) -> Pixels:
    """Turn a part."""
    part = find_part(photo, random.uniform(*SHARE))
    part = part._replace(down=part.right)  # a circle: turned, it shows nothing from around it
    turn = cv2.getRotationMatrix2D((part.x, part.y), random.uniform(*TURN), 1)
    laid = cv2.warpAffine(photo, turn, photo.shape[1::-1]).astype(np.float32)
    return blended(photo, laid, ellipse(photo, part))


def blended(
    under: Pixels, over: npt.NDArray[np.float32], weight: npt.NDArray[np.float32]
) -> Pixels:
    """Lay a picture over another where the weight is 1."""
    mixed = under * (1 - weight) + over * weight
    return np.asarray(mixed.round().clip(0, 255), np.uint8)


def captioned(photo: Pixels, _: Pixels, random: Random) -> Pixels:
    """Cover an edge by a bar with words."""
    picture = Image.fromarray(photo)
    dark = random.random() < 0.5
    high = int(picture.height * random.uniform(0.08, 0.16))
    top = 0 if random.random() < 0.5 else picture.height - high
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, top, picture.width, top + high), fill=(20, 22, 30) if dark else (250,) * 3)
    font = ImageFont.load_default(high * 0.5)
    pen.text((8, top + high * 0.2), "a day like this", (255,) * 3 if dark else (0,) * 3, font)
    return np.asarray(picture)


def written(photo: Pixels, _: Pixels, random: Random) -> Pixels:
    """Write white words with black edges across the photo."""
    picture = Image.fromarray(photo)
    size = picture.height * random.uniform(0.07, 0.12)
    font, pen = ImageFont.load_default(size), ImageDraw.Draw(picture)
    for line, place in (("WHEN YOU SEE", 0.05), ("what comes next", random.uniform(0.6, 0.85))):
        at = picture.width * 0.1, picture.height * place
        pen.text(at, line, (255,) * 3, font, stroke_width=max(1, int(size / 12)), stroke_fill=0)
    return np.asarray(picture)


def marked(photo: Pixels, _: Pixels, random: Random) -> Pixels:
    """Lay an agency's translucent marks over the photo."""
    sheet = Image.new("L", photo.shape[1::-1])
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(photo.shape[0] * 0.06)
    step = int(photo.shape[0] * random.uniform(0.25, 0.4))
    for y in range(step // 2, sheet.height, step):
        for x in range(step // 4, sheet.width, 2 * step):
            pen.text((x, y), "stockhouse", 255, font)
            pen.ellipse((x - 9, y - 9, x + 3, y + 3), outline=255, width=2)
    weight = np.asarray(sheet, np.float32)[..., None] / 255 * random.uniform(0.3, 0.6)
    return blended(photo, np.full(photo.shape, 255, np.float32), weight)


def framed(photo: Pixels, _: Pixels, random: Random) -> Pixels:
    """Put the photo into a frame of one color."""
    border = int(photo.shape[0] * random.uniform(0.03, 0.08))
    color = tuple(random.integers(0, 256, 3).tolist())
    return np.asarray(ImageOps.expand(Image.fromarray(photo), border, color))


def recolored(photo: Pixels, _: Pixels, random: Random) -> Pixels:
    """Change brightness, saturation and tint."""
    bent = (photo / 255.0) ** random.uniform(0.65, 1.5)
    gray = bent.mean(2, keepdims=True)
    bent = gray + (bent - gray) * random.uniform(0, 1.5)
    return np.asarray((255 * bent * random.uniform(0.85, 1.1, 3)).clip(0, 255), np.uint8)


def recompressed(photo: Pixels, _: Pixels, random: Random) -> Pixels:
    """Compress strongly."""
    content = io.BytesIO()
    Image.fromarray(photo).save(content, "JPEG", quality=int(random.integers(20, 45)))
    return np.asarray(Image.open(content).convert("RGB"))


SIBLINGS: dict[str, Edit] = {"exchanged": exchanged, "moved": moved, "turned": turned}
COPIES: dict[str, Edit] = {
    "captioned": captioned,
    "written": written,
    "marked": marked,
    "framed": framed,
    "recolored": recolored,
    "recompressed": recompressed,
}


def plant(folder: Path, photo: Path, other: Path, seed: int) -> list[tuple[str, Path]]:
    """Write all edits of a photo that show.

    Parameters
    ----------
    folder : Path
        Where they are written.
    photo, other : Path
        The photo, and one of which parts are taken.
    seed : int
        Decides places and sizes.

    Returns
    -------
    list of (str, Path)
        Each edit's sort and file.
    """
    own, theirs = (np.asarray(Image.open(file).convert("RGB")) for file in (photo, other))
    edits = []
    for number, (sort, edit) in enumerate((SIBLINGS | COPIES).items()):
        random = np.random.default_rng([seed, number])
        new = edit(own, theirs, random)
        if sort in SIBLINGS and not _shows(own, new):
            continue
        picture = Image.fromarray(new)
        scale = random.uniform(*SCALE)
        file = folder / f"{photo.stem}-{sort}.jpg"
        small = picture.resize((round(picture.width * scale), round(picture.height * scale)))
        small.save(file, quality=int(random.integers(*QUALITY)))
        edits.append((sort, file))
    return edits


def _shows(own: Pixels, new: Pixels) -> bool:
    """Tell whether an edit changes the least part that is planted."""
    change = np.abs(own.astype(np.int16) - new).mean(2)
    strongest = np.sort(change, axis=None)[-int(SHARE[0] / 2 * change.size) :]
    return bool(strongest.mean() >= 2 * VISIBLE)


def judge(folder: Path, one: str, other: str) -> str:
    """Return what `curate dedup` says of two pictures of a folder."""
    names, config = [one, other], DedupConfig()
    looks, words = read_looks(folder, names)
    prove = prover(folder)
    found = by_hash(looks, config, prove), by_grays(looks, config, prove)
    found += (by_features(looks, words, config, prove),)
    same, siblings = found_pairs(names, *found)
    return "same" if same else "siblings" if siblings else "strangers"


def main() -> None:
    """Print what is said of each sort of edit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--half", choices=["choose", "report"], default="report")
    parser.add_argument("--photos", type=int, default=80)
    parser.add_argument("--sheet", type=Path, help="contact sheet of what went wrong")
    options = parser.parse_args()
    photos = chosen_photos(options.data, options.half)
    photos = photos[:: max(1, len(photos) // options.photos)][: options.photos]
    said: Counter[tuple[str, str]] = Counter()
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed, photo in enumerate(photos):
            (folder / photo.name).write_bytes(photo.read_bytes())
            for sort, file in plant(folder, photo, photos[seed - 1], seed):
                answer = judge(folder, photo.name, file.name)
                said[sort, answer] += 1
                if answer != ("siblings" if sort in SIBLINGS else "same"):
                    wrong.append([photo, file])
        if options.sheet:
            contact_sheet(options.sheet, wrong[:SHEET_PAIRS])
    report(said, len(photos))


def report(said: Counter[tuple[str, str]], photos: int) -> None:
    """Print shares with Wilson intervals."""
    print(f"{photos} photos")
    for right, sorts in (("siblings", SIBLINGS), ("same", COPIES)):
        for sort in [*sorts, "all"]:
            named = list(sorts) if sort == "all" else [sort]
            counts = Counter({a: sum(said[s, a] for s in named) for _, a in said})
            total = counts.total()
            low, high = wilson_interval(counts[right], total)
            others = ", ".join(f"{n} {a}" for a, n in sorted(counts.items()) if a != right)
            print(
                f"  {sort:<13} {right} {counts[right]}/{total} = {counts[right] / total:.3f} "
                f"({low:.3f} to {high:.3f}); {others}"
            )


if __name__ == "__main__":
    main()
