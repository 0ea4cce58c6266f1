"""A picture is shown where it lies on another: crops in their place, mirrored ones turned."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.duplicates.test_geometry import jpeg, scene
from webemo_curate.duplicates.laying import lay_on

BOX = (40, 20, 200, 140)
EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "crop": lambda one: one.crop(BOX),
    "mirrored crop, enlarged": lambda one: ImageOps.mirror(one.crop(BOX)).resize((320, 240)),
    "crop of one twice as large": lambda one: one.resize((440, 300)).crop((80, 40, 400, 280)),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_crop_lies_in_its_place_and_shows_nothing_beside_it(edit: str) -> None:
    original = scene(3)
    laid = np.asarray(lay_on(original, jpeg(EDITS[edit](original)))).astype(int)
    assert laid.shape == (150, 220, 4)
    left, top, right, bottom = BOX
    inner = np.s_[top + 6 : bottom - 6, left + 6 : right - 6]
    assert (laid[inner][..., 3] == 255).all()
    assert np.abs(laid[inner][..., :3] - np.asarray(original)[inner]).mean() < 8
    outer = laid[..., 3].copy()
    outer[top - 6 : bottom + 6, left - 6 : right + 6] = 0
    assert not outer.any()


@pytest.mark.parametrize("turned", [False, True])
def test_what_has_no_keypoints_fills_the_frame_the_way_round_that_fits(turned: bool) -> None:
    row = np.linspace(0, 250, 220).astype(np.uint8)
    gradient = Image.fromarray(np.tile(row, (150, 1))).convert("RGB")
    other = ImageOps.mirror(gradient) if turned else gradient
    laid = np.asarray(lay_on(gradient, other.resize((90, 60)))).astype(int)
    assert (laid[..., 3] == 255).all()
    assert np.abs(laid[..., :3] - np.asarray(gradient)).max() < 6
