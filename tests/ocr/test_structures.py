"""Chains, fences, windows and floats are not text; words of any script are."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import ImageDraw, ImageFont

from benchmarks.made_structures import chain, fence, floats, windows
from tests.ocr.pictures import as_pixels, scene
from tests.tools.overlay_text.test_samples import FONT
from webemo_curate.config import FilterTextConfig
from webemo_curate.ocr.cascade import make_detector
from webemo_curate.ocr.detector import to_arrow
from webemo_curate.ocr.rule import PRESETS, decide
from webemo_curate.ocr.selection import choose_engine

SIZE = 330, 220
EACH = 8
WRITTEN = 4
BALANCED = PRESETS["rapidocr"]["balanced"]
WORDS = {
    "Latin": "Quiet evening",
    "Cyrillic": "Тихий вечер",
    "Greek": "Ήσυχο βράδυ",
    "Armenian": "Բարի լույս",
    "Hebrew": "ערב שקט",
    "Arabic": "مساء هادئ",
}


@pytest.fixture(scope="module")
def detector():
    config = FilterTextConfig(engine="rapidocr", device="cpu")
    made = make_detector(config, choose_engine(config))
    made.setup()
    return made


@pytest.fixture(scope="module")
def structures(detector):
    """Return the boxes of chains, fences, windows and floats over blurred scenes."""
    scenes = [scene(seed, SIZE) for seed in range(EACH)]
    return to_arrow(
        detector.detect(
            as_pixels(
                make(np.random.default_rng([5, seed]), scenes)
                for make in (chain, fence, windows, floats)
                for seed in range(EACH)
            )
        )
    )


def test_repeated_structures_are_hardly_ever_taken_for_text(structures):
    assert decide(structures, BALANCED).bears_text.sum() <= 1


def test_they_would_be_if_first_readings_were_believed(structures):
    believing = replace(BALANCED, by_length=((2, 0.8), (5, 0.4)), all_readings=False, repeated=0.0)

    assert decide(structures, believing).bears_text.sum() >= 4


@pytest.mark.parametrize("script", WORDS)
def test_words_are_found_in_any_script(detector, script):
    pictures = [outlined(scene(seed, SIZE), WORDS[script], seed) for seed in range(WRITTEN)]

    flagged = decide(to_arrow(detector.detect(as_pixels(pictures))), BALANCED).bears_text

    assert flagged.sum() >= WRITTEN - 1


def outlined(picture, words, seed):
    font = ImageFont.truetype(str(FONT), 30)
    place = np.random.default_rng(seed).uniform(0.4, 0.6, 2) * SIZE
    ImageDraw.Draw(picture).text(
        tuple(place), words, "white", font, "mm", stroke_width=2, stroke_fill="black"
    )
    return picture
