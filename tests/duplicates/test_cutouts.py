"""Of pictures of few shapes a cut-out is found by all its pixels, and nothing else is."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from benchmarks.drawn_sets import gradient, horizon, night
from tests.duplicates.test_geometry import jpeg
from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.cutouts import cut_out
from webemo_curate.duplicates.geometry import match, view
from webemo_curate.duplicates.laying import lay_on
from webemo_curate.duplicates.relation import Relation, RelationLimits

LIMITS = RelationLimits.of(DedupConfig())
BOX = (21, 12, 301, 211)


def picture(draw: Callable[[np.random.Generator], Image.Image], number: int) -> Image.Image:
    return draw(np.random.default_rng(number))


def related(first: Image.Image, second: Image.Image) -> Relation:
    return LIMITS.answer(match(view(first), view(second)), whole=False)


@given(
    number=st.integers(0, 2**32 - 1),
    left=st.integers(0, 60),
    top=st.integers(0, 40),
    draw=st.sampled_from([night, horizon]),
)
def test_a_cut_out_is_found_in_its_place(
    number: int, left: int, top: int, draw: Callable[[np.random.Generator], Image.Image]
) -> None:
    gray = np.asarray(picture(draw, number).convert("L"))
    found = cut_out(gray, gray[top : top + 190, left : left + 270])
    if found is not None:  # else it has no detail
        assert (found.x, found.y, found.agreeing) == (left, top, found.detailed)


@pytest.mark.parametrize("draw", [night, horizon])
@pytest.mark.parametrize("scale", [1, 5])
def test_a_cut_out_is_the_same_picture_whichever_comes_first(
    draw: Callable[[np.random.Generator], Image.Image], scale: int
) -> None:
    whole = picture(draw, 3)
    whole = whole.resize((whole.width * scale, whole.height * scale))
    part = jpeg(whole.crop(tuple(scale * edge for edge in BOX)))
    assert related(whole, part) == Relation.SAME
    assert related(part, whole) == Relation.SAME
    laid = np.asarray(lay_on(whole, part))
    inner = np.s_[BOX[1] * scale + 8 : BOX[3] * scale - 8, BOX[0] * scale + 8 : BOX[2] * scale - 8]
    assert np.abs(laid[inner][..., :3].astype(int) - np.asarray(whole)[inner]).mean() < 4
    assert not laid[:, : BOX[0] * scale - 8, 3].any()


@pytest.mark.parametrize(
    "change",
    [
        lambda part: ImageOps.mirror(part),
        lambda part: part.resize((300, 213)),
        lambda part: Image.merge("RGB", part.split()[::-1]),
        lambda part: Image.blend(part, Image.new("RGB", part.size, "white"), 0.05),
    ],
    ids=["mirrored", "re-scaled", "other colors", "brighter"],
)
def test_what_is_changed_is_no_cut_out(change: Callable[[Image.Image], Image.Image]) -> None:
    whole = picture(horizon, 5)
    assert related(whole, change(whole.crop(BOX))) == Relation.STRANGERS


def test_another_figure_or_another_star_makes_another_picture() -> None:
    for draw, shape in ((horizon, (90, 60, 120, 130)), (night, (200, 80, 222, 102))):
        whole = picture(draw, 7)
        part = whole.crop(BOX)
        ImageDraw.Draw(part).ellipse(shape, fill=(128, 128, 128))
        assert related(whole, part) == Relation.STRANGERS


def test_nothing_says_what_a_gradient_was_cut_out_of() -> None:
    whole = picture(gradient, 1)
    assert related(whole, whole.crop(BOX)) == Relation.STRANGERS
