"""Measure which scripts the text filter finds: greetings in twelve, drawn over text-free photos.

    python -m benchmarks.text_scripts DATA FONTS [--every N] [--height PIXELS]

DATA is that of `benchmarks.text_accuracy`; FONTS a folder of font files, searched at any depth (on
Debian /usr/share/fonts with fonts-noto-core and fonts-noto-cjk). Every Nth text-free photo gets a
greeting, white with a black outline, at each script's turn. Printed for each preset: the share of
pictures said to bear text, with its 95 % Wilson interval, and of the same photos left bare.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.text_accuracy import (
    CLEAN,
    MAX_PIXELS,
    Look,
    boxes_of,
    labeled,
    timed,
    wilson,
)
from tools.overlay_text.typefaces import writes
from webemo_curate.config import FilterTextConfig
from webemo_curate.imaging import load_rgb
from webemo_curate.ocr.detector import to_arrow
from webemo_curate.ocr.rule import PRESETS, decide

FILES = "Noto*-Regular.tt[fc]"

GREETINGS = {
    "Latin": ("Good morning", "I am sad", "Happy birthday"),
    "Latin, accents": ("Schöne Grüße", "Feliz cumpleaños", "Bonne année à toi"),
    "Greek": ("Καλημέρα", "Χρόνια πολλά", "Είμαι λυπημένος"),
    "Cyrillic": ("Доброе утро", "Мне грустно", "Большое спасибо"),
    "Chinese": ("早上好", "我很难过", "生日快乐"),
    "Japanese": ("おはよう", "かなしい", "お誕生日おめでとう"),
    "Korean": ("좋은 아침", "슬퍼요", "생일 축하합니다"),
    "Arabic": ("صباح الخير", "أنا حزين", "عيد ميلاد سعيد"),
    "Hebrew": ("בוקר טוב", "אני עצוב", "יום הולדת שמח"),
    "Devanagari": ("सुप्रभात", "मैं दुखी हूँ", "जन्मदिन मुबारक"),
    "Thai": ("สวัสดีตอนเช้า", "ฉันเศร้า", "สุขสันต์วันเกิด"),
    "Armenian": ("Բարի լույս", "Ես տխուր եմ", "Ծնունդդ շնորհավոր"),
}


class Case(NamedTuple):
    """A photo and what is drawn over it: nothing, if the script is None."""

    photo: Path
    script: str | None
    index: int


def find_fonts(folder: Path) -> dict[str, Path]:
    """Return a font file for each script; exits if there is none."""
    paths = sorted(folder.rglob(FILES))
    found = {}
    for script, greetings in GREETINGS.items():
        letters = "".join(dict.fromkeys(filter(str.isalpha, "".join(greetings))))
        able = (path for path in paths if writes(path, letters))
        found[script] = next(able, None)
        if found[script] is None:
            raise SystemExit(f"{folder}: no {FILES} writes {script}; see the head of this file")
    return found


def draw(case: Case, fonts: dict[str, Path], height: int) -> Image.Image:
    """Return the photo with the greeting across it, as wide as fits."""
    photo = load_rgb(case.photo, MAX_PIXELS)
    if case.script is None:
        return photo
    greetings = GREETINGS[case.script]
    words = greetings[case.index % len(greetings)]
    font = ImageFont.truetype(str(fonts[case.script]), height)
    width = font.getlength(words)
    if width > photo.width:
        font = ImageFont.truetype(str(fonts[case.script]), int(height * photo.width / width))
    random = np.random.default_rng(case.index)
    place = photo.width / 2, photo.height * random.uniform(0.25, 0.75)
    ImageDraw.Draw(photo).text(
        place, words, "white", font, anchor="mm", stroke_width=2, stroke_fill="black"
    )
    return photo


def cases(photos: list[Path]) -> Iterator[Case]:
    """Yield every photo bare and with each script."""
    for index, photo in enumerate(photos):
        for script in (None, *GREETINGS):
            yield Case(photo, script, index)


def main() -> None:
    """Draw, look and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("fonts", type=Path)
    parser.add_argument("--every", type=int, default=12)
    parser.add_argument("--height", type=int, default=28, help="of the typeface, in pixels")
    arguments = parser.parse_args()
    clean = [photo.path for photo in labeled(arguments.data) if photo.kind == CLEAN]
    fonts = find_fonts(arguments.fonts)
    drawn = list(cases(clean[:: arguments.every]))
    look = Look(FilterTextConfig().short_side, None, FilterTextConfig().drawn)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.png") for number in range(len(drawn))]
        for path, case in zip(paths, drawn, strict=True):
            draw(case, fonts, arguments.height).save(path)
        boxes, rate = timed(boxes_of, [(path, look) for path in paths], len(paths))
    print(f"{look}, typeface of {arguments.height} px ({rate:.1f} images/s)")
    for preset, rule in PRESETS["rapidocr"].items():
        print(preset)
        show(drawn, decide(to_arrow(boxes), rule).bears_text)


def show(drawn: list[Case], flagged: NDArray[np.bool_]) -> None:
    """Print the share of each script's pictures that are flagged."""
    for script in (*GREETINGS, None):
        hits = flagged[[case.script == script for case in drawn]]
        print(f"  {script or 'bare photo':<16} {wilson(int(hits.sum()), len(hits))}")


if __name__ == "__main__":
    main()
