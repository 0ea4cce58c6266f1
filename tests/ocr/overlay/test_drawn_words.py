"""The look for drawn words finds what the first look misses, and nothing on bare pictures."""

from functools import partial

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.ocr.pictures import as_pixels
from tests.ocr.random_weights import write_weights
from tests.tools.overlay_text.test_samples import FONT
from tools.overlay_text.backgrounds import background
from webemo_curate.config import FilterTextConfig
from webemo_curate.ocr import cascade as looks
from webemo_curate.ocr.cascade import make_detector
from webemo_curate.ocr.detector import to_arrow
from webemo_curate.ocr.easyocr.easyocr_detector import EasyDetector
from webemo_curate.ocr.rule import PRESETS, decide
from webemo_curate.ocr.selection import choose_engine

PICTURES = 14
OPACITY = 90


@pytest.fixture(scope="module")
def bare():
    """Return busy pictures without words, of seeds that no fitting used."""
    return [
        Image.fromarray(background(np.random.default_rng([7, seed]), ()))
        for seed in range(PICTURES)
    ]


@pytest.fixture(scope="module")
def marked(bare):
    """Return the same pictures with a faint word across each."""
    return [watermarked(picture, "FAMILY") for picture in bare]


def watermarked(picture, word, height=36, opacity=OPACITY, angle=0):
    layer = Image.new("RGBA", picture.size)
    font = ImageFont.load_default(height)
    draw = ImageDraw.Draw(layer)
    draw.text((128, 128), word, (255, 255, 255, opacity), font, anchor="mm")
    layer = layer.rotate(angle, Image.Resampling.BICUBIC)
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def flagged(pictures, engine="rapidocr", **options):
    config = FilterTextConfig(engine=engine, device="cpu", **options)
    detector = make_detector(config, choose_engine(config))
    detector.setup()
    return decide(
        to_arrow(detector.detect(as_pixels(pictures))), PRESETS[engine]["balanced"]
    ).bears_text


@pytest.mark.slow
def test_faint_words_on_busy_pictures_are_found_that_one_look_misses(marked):
    once, again = flagged(marked, drawn=False), flagged(marked)

    assert again[once].all()
    assert again.sum() >= once.sum() + 2


def test_small_words_that_the_look_for_drawn_words_misses_are_found_closer(bare):
    small = as_pixels(
        [watermarked(bare[3], "Love", 10, 255, 45), watermarked(bare[3], "OK", 9, 255)]
    )
    config = FilterTextConfig(engine="rapidocr", device="cpu")
    looks_thrice = make_detector(config, choose_engine(config))
    looks_thrice.setup()
    rule = PRESETS["rapidocr"]["balanced"]

    assert not decide(to_arrow(looks_thrice.first.detect(small)), rule).bears_text.any()
    assert decide(to_arrow(looks_thrice.detect(small)), rule).bears_text.all()


def test_words_that_easyocrs_networks_miss_are_found_by_the_same_look(
    marked, tmp_path, monkeypatch
):
    _, published = write_weights(tmp_path)
    monkeypatch.setattr(looks, "EasyDetector", partial(EasyDetector, published=published))
    easyocr = partial(flagged, marked[:8], "easyocr", models=tmp_path, short_side=96)

    assert not easyocr(drawn=False).any()  # random weights read nothing
    assert easyocr().sum() >= 6


@pytest.mark.slow
def test_a_script_that_cannot_be_read_is_found_where_both_networks_see_it(bare):
    font = ImageFont.truetype(str(FONT), 28)
    signed = [picture.copy() for picture in bare]
    for picture in signed:
        ImageDraw.Draw(picture).text(
            (128, 128), "Щедрый бюджет", "white", font, "mm", stroke_width=2, stroke_fill="black"
        )

    once, again = flagged(signed, drawn=False), flagged(signed)

    assert once.sum() < PICTURES / 2
    assert again.sum() > PICTURES * 0.8


@pytest.mark.slow
def test_nothing_more_is_read_into_bare_pictures(bare):
    assert np.array_equal(flagged(bare), flagged(bare, drawn=False))
