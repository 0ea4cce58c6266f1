"""Pixels of fences and chains repeat along their box; those of words do not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageDraw, ImageFont

from tests.ocr.pictures import scene
from webemo_curate.ocr.periodicity import periodicity

SIZE = 240, 48


def crop(draw_on):
    picture = scene(3, SIZE)
    draw_on(ImageDraw.Draw(picture))
    return np.asarray(picture)


def bars(step):
    return lambda draw: [draw.line((x, 0, x, SIZE[1]), "white", 4) for x in range(0, SIZE[0], step)]


def links(draw):
    for x in range(0, SIZE[0], 20):
        draw.ellipse((x, 14, x + 24, 34), outline="black", width=4)


@pytest.mark.parametrize("structure", [bars(12), bars(24), links])
def test_pixels_of_structures_repeat(structure):
    assert periodicity(crop(structure)) > 0.9


@pytest.mark.parametrize("words", ["Quiet evening", "dreamstime.com", "Mississippi", "HAPPY DAY"])
def test_pixels_of_words_do_not(words):
    font = ImageFont.load_default(34)
    drawn = crop(lambda draw: draw.text((4, 2), words, "white", font))

    assert periodicity(drawn) < 0.6


@given(st.integers(1, 90), st.integers(1, 500), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=50)
def test_any_crop_has_a_share_whatever_its_size(height, width, seed):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)

    assert 0 <= periodicity(noise) <= 1


@pytest.mark.parametrize("gray", [0, 128, 255])
def test_a_flat_crop_repeats_nothing(gray):
    assert periodicity(np.full((48, 200, 3), gray, np.uint8)) < 1e-6
