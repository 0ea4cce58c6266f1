"""Made-up pictures, and the maps that a network should return for them."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.overlay_text.backgrounds import SIDE, Pixels, Random, to_pixels
from tools.overlay_text.lettering import DrawnLine, draw_line, outline_of
from tools.overlay_text.typefaces import Typefaces

STRIDE = 4
"""Pixels of the picture, in each direction, for each pixel of the map."""

SHRINK_RATIO = 0.4
"""How far a box is shrunk, so that lines close to each other stay apart (Liao et al. 2020,
Real-time Scene Text Detection with Differentiable Binarization, section 3.4)."""

EMPTY, WORDS, EITHER = 0, 1, 2
"""Values of the map's pixels; `EITHER` is ignored in training."""

LINES = (0, 0, 1, 1, 1, 2, 2, 3, 4)
"""Numbers of lines tried on a picture; all entries are equally likely."""

FAINTEST = 14.0
"""Contrast below which nobody could read a line, so that either answer is accepted."""

INSIDE, OUTSIDE = 96, 10
"""Of 255: coverage by a shrunk box from which a map's pixel belongs to it, and below which it does
not."""


class Sample(NamedTuple):
    """A made-up picture.

    Attributes
    ----------
    picture
        uint8, (`SIDE`, `SIDE`, 3) RGB.
    target
        uint8, (`SIDE` / `STRIDE`, `SIDE` / `STRIDE`): `EMPTY`, `WORDS` or `EITHER`.
    """

    picture: Pixels
    target: Pixels


def make_sample(
    random: Random, backgrounds: Sequence[Pixels] | Pixels, typefaces: Typefaces
) -> Sample:
    """Draw lines that do not touch over a background.

    Parameters
    ----------
    random : numpy.random.Generator
        Source of all draws.
    backgrounds : Sequence of numpy.ndarray, or one array
        uint8, (`SIDE`, `SIDE`, 3) RGB each, without words; one is taken, mirrored and recolored.
    typefaces : Typefaces
        The fonts to write with.

    Returns
    -------
    Sample
        Compressed as JPEG more often than not, and now and then scaled down and up.
    """
    picture = _vary(random, backgrounds[int(random.integers(len(backgrounds)))])
    target = np.full((SIDE // STRIDE, SIDE // STRIDE), EMPTY, np.uint8)
    taken = np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(random.choice(LINES)):
        drawn = draw_line(random, picture, typefaces)
        if drawn is None:
            continue
        after, line = drawn
        whole = _fill(outline_of(line))
        if not (whole & taken).any():
            picture, taken = after, taken | whole
            _mark(target, line, whole)
    return Sample(_wear(random, picture), target)


def _vary(random: Random, background: Pixels) -> Pixels:
    for axis, share in ((1, 0.5), (0, 0.3)):
        background = np.flip(background, axis) if random.random() < share else background
    if random.random() < 0.3:
        background = background[..., random.permutation(3)]
    stretched = (background.astype(np.float64) - 128) * random.uniform(0.6, 1.2)
    return to_pixels(stretched + 128 + random.uniform(-40, 40))


def _wear(random: Random, picture: Pixels) -> Pixels:
    """Degrade a picture as the web does."""
    if random.random() < 0.7:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(40, 96))]
        body = cv2.imencode(".jpg", picture, quality)[1]
        picture = np.asarray(cv2.imdecode(body, cv2.IMREAD_COLOR), np.uint8)
    if random.random() < 0.3:
        side = round(SIDE * random.uniform(0.5, 0.95))
        small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        picture = np.asarray(cv2.resize(small, (SIDE, SIDE)), np.uint8)
    return picture


def _mark(target: Pixels, line: DrawnLine, whole: Pixels) -> None:
    """Mark a line in the map of its picture."""
    if line.contrast < FAINTEST:
        target[_reduce(whole) > 0] = EITHER
        return
    width, height = line.size
    shrink = width * height * (1 - SHRINK_RATIO**2) / (2 * (width + height))
    core = _reduce(_fill(outline_of(line, shrink)))
    target[(core > OUTSIDE) & (core <= INSIDE) & (target == EMPTY)] = EITHER
    target[core > INSIDE] = WORDS


def _fill(corners: NDArray[np.int32]) -> Pixels:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(mask, [corners], 255)
    return mask


def _reduce(mask: Pixels) -> Pixels:
    shape = SIDE // STRIDE, SIDE // STRIDE
    return np.asarray(cv2.resize(mask, shape, interpolation=cv2.INTER_AREA), np.uint8)
