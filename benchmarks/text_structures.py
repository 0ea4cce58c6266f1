"""How many pictures of repeated structures, free of text, the text filter takes for text.

    python -m benchmarks.text_structures DATA [--each 60] [--sheet false.jpg]

DATA is that of `benchmarks.text_accuracy`. Of each kind of `benchmarks.made_structures` so many
pictures are made from every third text-free photo. Printed at each preset: the share said to bear
text, with its 95 % Wilson interval, by kind and by half: thresholds may be chosen on the odd kinds,
and are reported on the even ones.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.contact_sheet import contact_sheet
from benchmarks.made_structures import KINDS
from benchmarks.text_accuracy import (
    CLEAN,
    MAX_PIXELS,
    Look,
    boxes_of,
    labeled,
    timed,
    wilson,
)
from webemo_curate.config import FilterTextConfig
from webemo_curate.imaging import load_rgb
from webemo_curate.ocr.detector import to_arrow
from webemo_curate.ocr.rule import PRESETS, decide

EVERY = 3
THUMBNAIL = 330, 330
ORDER = list(KINDS)


def make(data: Path, each: int, folder: Path) -> tuple[list[str], list[Path]]:
    """Write `each` pictures of every kind; returns their kinds and files."""
    clean = [photo.path for photo in labeled(data) if photo.kind == CLEAN][::EVERY]
    photos = [load_rgb(path, MAX_PIXELS) for path in clean]
    for photo in photos:
        photo.thumbnail(THUMBNAIL)
    kinds, files = [], []
    for number in range(each):
        for index, (kind, maker) in enumerate(KINDS.items()):
            kinds.append(kind)
            files.append(folder / f"{kind}_{number:04d}.png")
            maker(np.random.default_rng([number, index]), photos).save(files[-1])
    return kinds, files


def show(kinds: list[str], flagged: NDArray[np.bool_]) -> None:
    """Print shares by kind and by half."""
    groups: dict[str, Callable[[str], bool]] = {
        kind: lambda each, kind=kind: each == kind for kind in KINDS
    }
    groups["odd kinds"] = lambda each: ORDER.index(each) % 2 == 0
    groups["even kinds"] = lambda each: ORDER.index(each) % 2 == 1
    groups["all"] = lambda _: True
    for name, chosen in groups.items():
        hits = flagged[[chosen(kind) for kind in kinds]]
        print(f"  {name:<12} {wilson(int(hits.sum()), len(hits))}")


def main() -> None:
    """Make, look and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--each", type=int, default=60, help="pictures of each kind")
    parser.add_argument("--sheet", type=Path, help="picture that shows what balanced flags")
    arguments = parser.parse_args()
    look = Look(FilterTextConfig().short_side, None, FilterTextConfig().drawn)
    with tempfile.TemporaryDirectory() as folder:
        kinds, files = make(arguments.data, arguments.each, Path(folder))
        boxes, rate = timed(boxes_of, [(file, look) for file in files], len(files))
        print(f"{look} ({rate:.1f} images/s)")
        for preset, rule in PRESETS["rapidocr"].items():
            flagged = decide(to_arrow(boxes), rule).bears_text
            print(preset)
            show(kinds, flagged)
            if arguments.sheet and preset == FilterTextConfig().preset:
                contact_sheet(arguments.sheet, [[files[i]] for i in np.flatnonzero(flagged)])


if __name__ == "__main__":
    main()
