"""Draw a line of words over a picture: typeface, tilt, color, opacity, outline and shadow."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tools.overlay_text.backgrounds import SIDE, Floats, Pixels, Random, blend, to_pixels
from tools.overlay_text.typefaces import Typefaces
from tools.overlay_text.wording import is_chinese, phrase

SMALLEST, LARGEST = 10, 64
"""Sizes of typefaces in pixels."""

MARGIN = 6
"""Margin around the ink in pixels, for outlines."""

MAX_LINE = 1.15 * SIDE
"""Longest line in pixels; a longer one would lie mostly outside."""

WHITE, BLACK = np.full(3, 255.0), np.zeros(3)


class DrawnLine(NamedTuple):
    """The place of a drawn line, and how visible it is.

    Attributes
    ----------
    center
        x and y in pixels.
    size
        Width and height of the ink before the tilt, in pixels.
    tilt
        Degrees, clockwise as in OpenCV.
    contrast
        Mean difference between ink and picture, 0 to 255, in the color channel with the most
        contrast.
    """

    center: tuple[float, float]
    size: tuple[float, float]
    tilt: float
    contrast: float


@dataclass(frozen=True)
class _Ink:
    """The masks of a tilted line, 0 to 1, (height, width, 1), and its size before the tilt."""

    letters: Floats
    outline: Floats | None
    size: tuple[int, int]
    tilt: float


def draw_line(
    random: Random, picture: Pixels, typefaces: Typefaces
) -> tuple[Pixels, DrawnLine] | None:
    """Draw a made-up line somewhere over a picture.

    Parameters
    ----------
    random : numpy.random.Generator
        Source of all draws.
    picture : numpy.ndarray
        uint8, (`SIDE`, `SIDE`, 3) RGB; not changed.
    typefaces : Typefaces
        The fonts to write with.

    Returns
    -------
    (numpy.ndarray, DrawnLine) or None
        The new picture and the line; None if the line does not fit or has no ink.
    """
    ink = _set_line(random, typefaces)
    if ink is None:
        return None
    height, width = ink.letters.shape[:2]
    left, top = (_place(random, length) for length in (width, height))
    canvas, window = picture.astype(np.float64), np.s_[top : top + height, left : left + width]
    if random.random() < 0.08 and not ink.tilt:
        _lay_bar(random, canvas, top, height)
    canvas[window], contrast = _apply(random, canvas[window], ink)
    center = (left + width / 2, top + height / 2)
    return to_pixels(canvas), DrawnLine(center, ink.size, -ink.tilt, contrast)


def _set_line(random: Random, typefaces: Typefaces) -> _Ink | None:
    """Write a line and tilt it."""
    text = phrase(random, chinese=bool(typefaces.chinese))
    faces = typefaces.chinese if is_chinese(text) else typefaces.latin
    size = int(np.exp(random.uniform(np.log(SMALLEST), np.log(LARGEST))))
    font = ImageFont.truetype(str(faces[int(random.integers(len(faces)))]), size)
    left, top, right, bottom = (int(edge) for edge in font.getbbox(text))
    width, height = right - left, bottom - top
    if width < MARGIN or height < MARGIN or width > MAX_LINE:
        return None
    tilt = _tilt(random)
    canvas = width + 2 * MARGIN, height + 2 * MARGIN
    origin = MARGIN - left, MARGIN - top

    def write(stroke: int = 0) -> Floats:
        mask = Image.new("L", canvas)
        ImageDraw.Draw(mask).text(origin, text, fill=255, font=font, stroke_width=stroke)
        turned = mask.rotate(tilt, resample=Image.Resampling.BICUBIC, expand=True)
        return np.asarray(turned, np.float64)[..., None] / 255

    letters = write()
    if max(letters.shape[:2]) > SIDE or not letters.any():
        return None
    outline = write(int(random.integers(1, 4))) if random.random() < 0.2 else None
    return _Ink(letters, outline, (width, height), tilt)


def _tilt(random: Random) -> float:
    kind = random.random()
    if kind < 0.3:
        return float(random.uniform(-60, 60))
    if kind < 0.45:
        return float(random.uniform(-10, 10))
    return float(random.choice([-90, 90])) if kind < 0.48 else 0.0


def _place(random: Random, length: int) -> int:
    return int(random.integers(0, SIDE - length + 1))


def _lay_bar(random: Random, canvas: Floats, top: int, height: int) -> None:
    """Lay a caption's bar of random opacity across the whole width."""
    opacity = random.uniform(0.4, 1)
    bar = canvas[top : top + height]
    bar[:] = blend(bar, opacity, random.uniform(0, 255, 3))


def _apply(random: Random, below: Floats, ink: _Ink) -> tuple[Floats, float]:
    """Return a piece of picture with the line over it, and the line's contrast."""
    color, opacity = _color(random, below.mean((0, 1)))
    if ink.outline is not None:
        below = blend(below, ink.outline * opacity, _opposite(random, color))
    if random.random() < 0.12:
        shift = random.integers(1, 3, 2)
        shadow = np.roll(ink.letters, tuple(shift), (0, 1)) * random.uniform(0.4, 1) * opacity
        below = blend(below, shadow, BLACK if color.mean() > 100 else WHITE)
    difference = np.abs((color - below) * ink.letters * opacity).max(2).sum()
    contrast = float(difference / ink.letters.sum())
    return blend(below, ink.letters * opacity, color), contrast


def _color(random: Random, near: Floats) -> tuple[Floats, float]:
    """Return color and opacity: low contrast, a watermark, black or white, or any color."""
    kind = random.random()
    if kind < 0.3:
        shift = random.uniform(22, 60) * random.choice([-1, 1])
        return np.clip(near + shift + random.normal(0, 8, 3), 0, 255), 1.0
    plain = WHITE if random.random() < 0.7 else BLACK
    if kind < 0.55:
        return plain, float(random.uniform(0.25, 0.7))
    return (plain if kind < 0.75 else random.uniform(0, 255, 3)), 1.0


def _opposite(random: Random, color: Floats) -> Floats:
    """Return a color for the outline of a color; black around a medium one."""
    if np.abs(color - 128).max() <= 40:
        return BLACK
    return np.clip(255 - color + random.normal(0, 20, 3), 0, 255)


def outline_of(line: DrawnLine, shrink: float = 0.0) -> NDArray[np.int32]:
    """Return the corners of a line's box.

    Parameters
    ----------
    line : DrawnLine
        The drawn line.
    shrink : float, default 0
        Pixels to take off every side; at least two pixels are left.

    Returns
    -------
    numpy.ndarray
        int32, (4, 2).
    """
    width, height = (max(length - 2 * shrink, 2) for length in line.size)
    corners = cv2.boxPoints((line.center, (width, height), line.tilt))
    return np.round(corners).astype(np.int32)
