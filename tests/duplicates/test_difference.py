"""What is drawn over a picture is no change of what it shows; another part is."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.duplicates.test_geometry import scene
from webemo_curate.config import DedupConfig
from webemo_curate.duplicates import difference as difference_module
from webemo_curate.duplicates.difference import difference
from webemo_curate.duplicates.overlays import Overlay, overlay

SIZE = (256, 176)
LIMIT = DedupConfig().max_changed


def strands(seed):
    """Draw fine strands below a calm sky: letters across them bring little detail of their own."""
    random = np.random.default_rng(seed)
    rows = np.linspace(90, 170, SIZE[1])[:, None] + np.zeros(SIZE)[:, 0]
    picture = Image.fromarray(rows.astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for _ in range(420):
        x, y = random.integers(0, SIZE[0]), random.integers(100, SIZE[1])
        pen.line((x, y, x + random.integers(-9, 9), y + 26), fill=int(random.integers(0, 256)))
    return picture


def written(picture, lines):
    """Write white words with black edges."""
    copy, font = picture.copy(), ImageFont.load_default(20)
    pen = ImageDraw.Draw(copy)
    for text, height in lines:
        pen.text((20, height), text, 255, font, stroke_width=2, stroke_fill=0)
    return copy


def changed(one, other):
    ours, theirs = (np.asarray(picture.convert("L")) for picture in (one, other))
    return difference(ours, theirs, np.ones(ours.shape, bool)).changed


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_words_across_detail_are_words_where_others_are_sure(seed):
    picture = strands(seed)
    sure, unsure = ("WHEN YOU SEE", 20), ("what comes next", 130)
    assert changed(picture, written(picture, [unsure])) > LIMIT  # alone, as another part would be
    assert changed(picture, written(picture, [sure, unsure])) <= LIMIT


def test_words_do_not_excuse_another_part():
    picture, other = scene(5, SIZE), scene(40, SIZE)
    changed_part = picture.copy()
    changed_part.paste(other.crop((80, 50, 150, 130)), (90, 60))
    assert changed(picture, written(changed_part.convert("L"), [("WHEN YOU SEE", 10)])) > LIMIT


@pytest.mark.parametrize(("seed", "radius", "at"), [(4, 14, (150, 110)), (7, 17, (90, 80))])
def test_other_gray_values_and_other_detail_in_one_place_count_together(
    seed, radius, at, monkeypatch
):
    picture, mask = scene(seed, SIZE).convert("L"), Image.new("L", SIZE)
    left, top = (middle - radius for middle in at)
    ImageDraw.Draw(mask).ellipse((left, top, left + 2 * radius, top + 2 * radius), fill=255)
    turned = Image.composite(picture.rotate(70, center=at), picture, mask)
    assert changed(picture, turned) > LIMIT
    # Neither would do alone.
    monkeypatch.setattr(
        difference_module, "other_detail", lambda ours, _: np.zeros(ours.shape, bool)
    )
    assert 0 < changed(picture, turned) <= LIMIT


@pytest.mark.parametrize(("top", "is_drawn"), [(0, True), (130, True), (60, False)])
def test_what_shows_of_a_bar_is_drawn_along_an_edge_alone(top, is_drawn):
    """Where the picture is as dark as the bar, what differs is no box and shorter than the side."""
    planes = np.random.default_rng(0).uniform(60, 200, (2, 168, 248)).astype(np.float32)
    planes[1] = planes[0]
    region = np.zeros(planes[0].shape, bool)
    region[top : top + 36, :80] = True
    region[top + 18 : top + 36, 40:80] = False
    planes[1][region] = 20
    around = np.zeros_like(region)
    around[top : top + 38, 82:90] = True
    box = np.array([0, top, 80, 36, region.sum()], np.int32)
    frame = np.array([0, 0, 248, 168], np.int32)
    found = overlay((planes[0], planes[1]), region, around, box, frame)
    assert (found == Overlay.DRAWN) == is_drawn
