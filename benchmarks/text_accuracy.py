"""Measure how well the text filter decides on labeled photos, beside other ways to decide.

    python -m benchmarks.text_accuracy DATA [--sides 320 416] [--second-side 640] [--no-drawn]
        [--rivals tesseract rapidocr easyocr] [--every N] [--models FOLDER] [--sheet errors.jpg]

DATA holds text/, overlay/, web/, oasis/ and their label files. For each contestant: the share of
images said to bear text, by kind, with 95 % Wilson intervals, of all of them and of the half that
no rule is chosen on (`benchmarks.halves`); over text-free photos that share is the false positives.
What is ambiguous, or was not looked at by the labels' authors, is left out.
`tesseract` is the system's command; `rapidocr` and `easyocr` are their own interfaces with their
defaults, the latter detection only, with weights from `--models`. With `--second-side` each side
is also measured with a second look at that one; with `--no-drawn` each without the look for words
drawn over photos, too.
"""

import argparse
import csv
import math
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.contact_sheet import contact_sheet
from benchmarks.halves import Half, half_of
from webemo_curate.config import FilterTextConfig
from webemo_curate.imaging import load_rgb
from webemo_curate.ocr.cascade import make_detector
from webemo_curate.ocr.detector import TextBox, TextDetector, to_arrow
from webemo_curate.ocr.pixels import to_pixels
from webemo_curate.ocr.rule import PRESETS, decide
from webemo_curate.ocr.selection import choose_engine

PROCESSES = 2
MAX_PIXELS = 64 * 10**6
LEGIBLE = 12
"""Pixels of letter height from which text is expected to be found."""

CLEAN = "text-free"
CLEAN_PROXY = "text-free, OASIS"
CLEAN_KINDS = (CLEAN, CLEAN_PROXY)
Z = 1.96
WEB_KINDS = {"T": "web text", "C": "web caption", "N": CLEAN}
TEXT_KINDS = {"text": "scene", "no_text": CLEAN}
OASIS_KINDS = {"none": CLEAN_PROXY}
WHOLE_PICTURE = r"icdar2015 img_\d+"
"""Of what picture a scene crop is, in the labels' column `src`."""

TESSERACT_CONFIDENCE = 60
TESSERACT_LETTERS = 3


@dataclass(frozen=True)
class Photo:
    """A labeled photo: its kind, its half, and the height of the letters where that is known."""

    path: Path
    kind: str
    half: Half
    height: float | None = None


Row = dict[str, str]

KINDS: dict[str, Callable[[Row], str | None]] = {
    "text": lambda row: TEXT_KINDS.get(row["label"]),
    "overlay": lambda row: row["tag"],
    "web": lambda row: WEB_KINDS.get(row["text"]),
    "oasis": lambda row: OASIS_KINDS.get(row["text"]),
}
"""Folder -> the kind that a row of its labels states; None: not to be scored."""


def labeled(data: Path) -> list[Photo]:
    """Return the photos whose label is unambiguous."""
    photos = []
    for folder, kind_of in KINDS.items():
        with (data / f"{folder}_labels.csv").open(newline="") as stream:
            for row in csv.DictReader(stream):
                kind = kind_of(row)
                if kind is not None:
                    height = float(row["text_h"]) if row.get("text_h") else None
                    half = half_of(_group(row))
                    photos.append(Photo(data / folder / row["file"], kind, half, height))
    return photos


def _group(row: Row) -> str:
    """Return what a photo has in common with those that must be in its half."""
    whole = re.match(WHOLE_PICTURE, row.get("src", ""))
    return row.get("family") or (whole[0] if whole else row["file"])


def wilson(hits: int, total: int) -> str:
    """Return a proportion and its 95 % Wilson interval as text."""
    share, pull = hits / total, Z**2 / total
    middle = (share + pull / 2) / (1 + pull)
    half = Z / (1 + pull) * math.sqrt(share * (1 - share) / total + pull / (4 * total))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return f"{hits}/{total} = {share:.3f} [{low:.3f}, {high:.3f}]"


@dataclass(frozen=True)
class Look:
    """How our engine looks at a photo; see `FilterTextConfig`."""

    side: int
    second_side: int | None
    drawn: bool

    def __str__(self) -> str:
        again = f", then {self.second_side}" if self.second_side else ""
        return f"short side {self.side}{again}{', drawn words' if self.drawn else ''}"


@cache
def _detector(look: Look) -> TextDetector:
    config = FilterTextConfig(
        engine="rapidocr",
        device="cpu",
        short_side=look.side,
        second_side=look.second_side,
        drawn=look.drawn,
    )
    detector = make_detector(config, choose_engine(config))
    detector.setup()
    return detector


def boxes_of(job: tuple[Path, Look]) -> list[TextBox]:
    """Return what our engine sees in a photo."""
    path, look = job
    (found,) = _detector(look).detect([to_pixels(load_rgb(path, MAX_PIXELS))])
    return found


def _tesseract(path: Path) -> bool:
    command = ["tesseract", str(path), "-", "--psm", "11", "tsv"]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    words = [line.split("\t")[-2:] for line in lines[1:]]
    return any(
        float(confidence) >= TESSERACT_CONFIDENCE
        and sum(map(str.isalnum, word)) >= TESSERACT_LETTERS
        for confidence, word in words
    )


@cache
def _stock_rapidocr() -> Callable[[str], object]:
    from rapidocr import RapidOCR

    reader = RapidOCR(params={"Global.log_level": "error"})
    return lambda path: reader(path).txts


def _rapidocr(path: Path) -> bool:
    return bool(_stock_rapidocr()(str(path)))


@cache
def _reader(models: Path) -> Callable[[np.ndarray], tuple[list[list[object]], list[list[object]]]]:
    import easyocr

    reader = easyocr.Reader(
        ["en"],
        gpu=False,
        model_storage_directory=str(models),
        download_enabled=False,
        recognizer=False,
        verbose=False,
    )
    return reader.detect


def _easyocr(job: tuple[Path, Path]) -> bool:
    path, models = job
    upright, tilted = _reader(models)(np.asarray(load_rgb(path, MAX_PIXELS)))
    return bool(upright[0] or tilted[0])


def show(name: str, photos: Sequence[Photo], flagged: Sequence[bool], rate: float) -> None:
    """Print the shares by kind, and those that the aims are set for; of the report half beside."""
    print(f"\n{name}  ({rate:.1f} images/s, {PROCESSES} processes)")
    print(f"  {'':<22} {'all':<32} report half")
    rows: dict[str, Callable[[Photo], bool]] = {
        kind: lambda photo, kind=kind: photo.kind == kind
        for kind in sorted({photo.kind for photo in photos})
    }
    rows[f"drawn, {LEGIBLE} px and more"] = lambda photo: (photo.height or 0) >= LEGIBLE
    rows["all text"] = lambda photo: photo.kind not in CLEAN_KINDS
    for row, chosen in rows.items():
        every = _share(photos, flagged, chosen)
        held = _share(photos, flagged, lambda p, c=chosen: p.half == "report" and c(p))
        print(f"  {row:<22} {every:<32} {held}", flush=True)


def _share(
    photos: Sequence[Photo], flagged: Sequence[bool], chosen: Callable[[Photo], bool]
) -> str:
    hits = [bool(flag) for photo, flag in zip(photos, flagged, strict=True) if chosen(photo)]
    return wilson(sum(hits), len(hits)) if hits else "none"


def timed(work: Callable[[object], object], jobs: Iterable[object], count: int) -> tuple:
    """Return the results of jobs done in `PROCESSES` processes, and how many a second."""
    started = time.perf_counter()
    with ProcessPoolExecutor(PROCESSES) as pool:
        results = list(pool.map(work, jobs, chunksize=8))
    return results, count / (time.perf_counter() - started)


def show_ours(photos: Sequence[Photo], look: Look, sheet: Path | None) -> None:
    """Look at every photo and hold what was seen against each preset."""
    jobs = [(photo.path, look) for photo in photos]
    boxes, rate = timed(boxes_of, jobs, len(photos))
    stored = to_arrow(boxes)
    for preset, rule in PRESETS["rapidocr"].items():
        flagged = decide(stored, rule).bears_text.tolist()
        show(f"curate, {look}, {preset}", photos, flagged, rate)
        if sheet and preset == FilterTextConfig().preset:
            name = f"{sheet.stem}-{str(look).replace(', ', '-').replace(' ', '-')}"
            _save_errors(photos, flagged, sheet.with_stem(name))


def _save_errors(photos: Sequence[Photo], flagged: Sequence[bool], sheet: Path) -> None:
    pairs = list(zip(photos, flagged, strict=True))
    missed = [[photo.path] for photo, flag in pairs if photo.kind not in CLEAN_KINDS and not flag]
    false = [[photo.path] for photo, flag in pairs if photo.kind in CLEAN_KINDS and flag]
    contact_sheet(sheet.with_stem(f"{sheet.stem}-missed"), missed)
    contact_sheet(sheet.with_stem(f"{sheet.stem}-false"), false)


def main() -> None:
    """Measure the contestants that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sides", type=int, nargs="*", default=[FilterTextConfig().short_side])
    parser.add_argument("--second-side", type=int, help="measure a second look at this side too")
    parser.add_argument("--no-drawn", action="store_true", help="measure without drawn words too")
    parser.add_argument("--rivals", nargs="*", default=[], help="tesseract, rapidocr, easyocr")
    parser.add_argument("--every", type=int, default=1, help="one image in so many")
    parser.add_argument("--models", type=Path, help="folder of EasyOCR's weights")
    parser.add_argument("--sheet", type=Path, help="picture that shows the errors")
    arguments = parser.parse_args()
    photos = labeled(arguments.data)[:: arguments.every]
    drawn = [False, True] if arguments.no_drawn else [True]
    seconds = [None, arguments.second_side] if arguments.second_side else [None]
    for look in product(arguments.sides, seconds, drawn):
        show_ours(photos, Look(*look), arguments.sheet)
    paths = [photo.path for photo in photos]
    rivals = {
        "tesseract": (_tesseract, paths),
        "rapidocr": (_rapidocr, paths),
        "easyocr": (_easyocr, [(path, arguments.models) for path in paths]),
    }
    for name in arguments.rivals:
        flagged, rate = timed(*rivals[name], len(photos))
        show(name, photos, flagged, rate)


if __name__ == "__main__":
    main()
