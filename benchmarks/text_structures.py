"""Count the text-free pictures of repeated structures that the text filter takes for text.

    python -m benchmarks.text_structures DATA [--each 60] [--half report] [--sheet false.jpg]

DATA is that of `benchmarks.text_accuracy`. Of each kind of `benchmarks.made_structures` so many
pictures are made from every third text-free photo of a half (`benchmarks.halves`). A rule is chosen
on the tuning kinds made from the tuning half. The report half has other photos and other random
numbers, and beside them `OTHER_KINDS`, which no rule is chosen on. Printed at each preset: the
share said to bear text, with its 95 % Wilson interval, by kind and by whether it was chosen on.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.contact_sheet import contact_sheet
from benchmarks.halves import Half
from benchmarks.made_structures import KINDS, OTHER_KINDS, TUNING_KINDS, Maker
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
MADE: dict[Half, dict[str, Maker]] = {"tuning": TUNING_KINDS, "report": KINDS}
SEEDS: dict[Half, int] = {"tuning": 0, "report": 1}


def make(data: Path, half: Half, each: int, folder: Path) -> tuple[list[str], list[Path]]:
    """Write `each` pictures of every kind from a half's photos; returns their kinds and files."""
    clean = [each.path for each in labeled(data) if (each.kind, each.half) == (CLEAN, half)]
    photos = [load_rgb(path, MAX_PIXELS) for path in clean[::EVERY]]
    for photo in photos:
        photo.thumbnail(THUMBNAIL)
    kinds, files = [], []
    for number in range(each):
        for index, (kind, maker) in enumerate(MADE[half].items()):
            kinds.append(kind)
            files.append(folder / f"{kind}_{number:04d}.png")
            maker(np.random.default_rng([SEEDS[half], number, index]), photos).save(files[-1])
    return kinds, files


def show(kinds: list[str], flagged: NDArray[np.bool_]) -> None:
    """Print shares by kind, of the kinds that rules are chosen on, and of the others."""
    groups: dict[str, tuple[str, ...]] = {kind: (kind,) for kind in KINDS}
    groups["tuning kinds"], groups["other kinds"] = tuple(TUNING_KINDS), tuple(OTHER_KINDS)
    groups["all"] = tuple(KINDS)
    for name, members in groups.items():
        hits = flagged[[kind in members for kind in kinds]]
        if len(hits):
            print(f"  {name:<12} {wilson(int(hits.sum()), len(hits))}")


def main() -> None:
    """Make, look and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--each", type=int, default=60, help="pictures of each kind")
    parser.add_argument("--half", choices=MADE, default="report")
    parser.add_argument("--sheet", type=Path, help="picture that shows what balanced flags")
    arguments = parser.parse_args()
    look = Look(FilterTextConfig().short_side, None, FilterTextConfig().drawn)
    with tempfile.TemporaryDirectory() as folder:
        kinds, files = make(arguments.data, arguments.half, arguments.each, Path(folder))
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
