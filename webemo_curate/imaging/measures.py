"""Measure the quality of a picture from its decoded pixels.

Brightness, entropy and edges are measured as in cleanvision 0.3.7 (its module
`issue_managers/image_property.py`), so that scores made from them equal cleanvision's. The other
measures are this project's own. All sums are of whole numbers: equal pixels give equal bits on
every machine.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from webemo_curate.imaging.brightness import brightness, ranked
from webemo_curate.imaging.pixel_words import Words, words_of
from webemo_curate.imaging.reducing import moderate

DARKEST, BRIGHTEST = 0.05, 0.99
"""Quantiles of brightness by which light and dark pictures are recognized."""

EDGE_SIDE: Final = 64
"""Longest side, in pixels, at which edges are measured, so that blur does not depend on a picture's
size."""

BORDER_STEP: Final = 8
"""Largest difference, of 255, between pixels of a blank border and the middle of its outermost
line. JPEG's rounding causes such differences in a single color."""

GRID: Final = 8
"""Side of a JPEG block in pixels (ITU T.81)."""

GRID_LINES: Final = 32
"""Approximate number of lines across a picture along which steps at the grid are measured: enough
for a mean."""

STEP_FLOOR: Final = 0.5
"""Added to mean steps, of 255, before two are compared; smaller steps are invisible."""


@dataclass(frozen=True)
class Measures:
    """A picture's quality measures.

    Attributes
    ----------
    brightness_p5, brightness_p99
        Percentiles of the pixels' perceived brightness, 0 to 1.
    entropy
        Entropy in bits of the histogram of all color values; of a gray picture, of its gray values.
    edges
        Standard deviation of the edge picture at `EDGE_SIDE` pixels, in gray values.
    gray_spread
        Standard deviation of the counts of the 256 gray values at `EDGE_SIDE` pixels.
    chroma
        The 99th percentile of the pixels' range over red, green and blue, 0 to 1; 0 for no color.
    inside
        Share of the picture within blank borders; 1 without borders, 0 for a single color.
    grid
        Mean step between neighbors inside JPEG blocks, divided by that across block borders, at
        most 1.
    """

    brightness_p5: float
    brightness_p99: float
    entropy: float
    edges: float
    gray_spread: float
    chroma: float
    inside: float
    grid: float


def measure(picture: Image.Image, *, gray: bool) -> Measures:
    """Measure a picture.

    Parameters
    ----------
    picture : PIL.Image.Image
        Upright RGB.
    gray : bool
        Whether the file stores gray values only; entropy is then of one channel, as in cleanvision.

    Returns
    -------
    Measures
        Of all its pixels.
    """
    pixels = words_of(picture)
    low, high = brightness(pixels, (DARKEST, BRIGHTEST))
    small = _small(picture)
    shades = small.convert("L")
    return Measures(
        brightness_p5=low,
        brightness_p99=high,
        entropy=(picture.getchannel(0) if gray else picture).entropy(),
        edges=_deviation(np.asarray(shades.filter(ImageFilter.FIND_EDGES))),
        gray_spread=_deviation(np.array(shades.histogram())),
        chroma=_chroma(words_of(small)),
        inside=inside_borders(pixels),
        grid=grid_steps(pixels),
    )


def _small(picture: Image.Image) -> Image.Image:
    """Reduce a picture as cleanvision does before it detects edges."""
    picture = moderate(picture)
    ratio = max(picture.size) / EDGE_SIDE
    if ratio <= 1:
        return picture
    width, height = (max(int(side // ratio), 1) for side in picture.size)
    return picture.resize((width, height))


def _deviation(values: npt.NDArray[np.integer]) -> float:
    """Return the standard deviation of whole numbers, computed from whole sums."""
    wide = values.ravel().astype(np.int64)
    total, squares = int(wide.sum()), int(wide @ wide)
    return math.sqrt(squares * wide.size - total * total) / wide.size


def _chroma(small: Words) -> float:
    red, green, blue = (small >> 8 * channel & 255 for channel in range(3))
    most = np.maximum(np.maximum(red, green), blue)
    ranges = (most - np.minimum(np.minimum(red, green), blue)).ravel()
    place = math.floor(BRIGHTEST * (ranges.size - 1))
    return ranked(ranges, [place])[place] / 255


def inside_borders(pixels: Words) -> float:
    """Return the share of a picture that lies within its blank borders.

    Parameters
    ----------
    pixels : ndarray of uint32, shape (H, W)
        See `Words`.

    Returns
    -------
    float
        The share left after removing lines of one color from every side, rows first; 1 if no line
        is blank, 0 if the borders meet.
    """
    height, width = pixels.shape
    top, bottom = _blank_lines(pixels), _blank_lines(pixels[::-1])
    if top + bottom >= height:
        return 0.0
    rows = pixels[top : height - bottom]
    columns = rows.T
    left, right = _blank_lines(columns), _blank_lines(columns[::-1])
    return len(rows) * max(0, width - left - right) / (height * width)


def _blank_lines(lines: Words) -> int:
    """Count the leading lines of one color, within `BORDER_STEP`."""
    first = _channels(lines[:1])[0].reshape(-1, 4)
    green = first[:, 1]  # in most pictures green alone shows that the line is not blank
    if int(green.max()) - int(green.min()) > 2 * BORDER_STEP:
        return 0
    darkest, brightest = first.min(axis=0), first.max(axis=0)
    if (brightest - darkest > 2 * BORDER_STEP)[:3].any():
        return 0
    middle = (brightest.astype(np.int16) + darkest) // 2
    low = np.maximum(middle - BORDER_STEP, 0)
    reach = np.minimum(middle + BORDER_STEP + 1, 255) - low
    reach[3] = 255
    lows, reaches = (np.tile(each.astype(np.uint8), len(first)) for each in (low, reach))
    count = 0
    for block in _blocks(lines):
        blank = (_channels(block) - lows <= reaches).all(axis=1)  # negative differences wrap around
        if not blank.all():
            return count + int(blank.argmin())
        count += len(block)
    return count


def _channels(lines: Words) -> npt.NDArray[np.uint8]:
    """Return lines as bytes, four a pixel."""
    return np.ascontiguousarray(lines).view(np.uint8)


def _blocks(lines: Words) -> Iterator[Words]:
    """Yield the first line alone, which decides for most pictures, then growing blocks."""
    start, size = 0, 1
    while start < len(lines):
        yield lines[start : start + size]
        start, size = start + size, min(4 * size, 64)


def grid_steps(pixels: Words) -> float:
    """Compare the steps between neighbors inside JPEG blocks with those across block borders.

    Parameters
    ----------
    pixels : ndarray of uint32, shape (H, W)
        See `Words`; the green channel is used.

    Returns
    -------
    float
        About 1 without blocks (exactly 1 with fewer than three blocks), towards 0 the more the
        blocks stand out. In turned pictures the grid begins at the opposite side, so the stronger
        result of both is returned.
    """
    height, width = pixels.shape
    along = [pixels[:: max(1, height // GRID_LINES)], pixels[:, :: max(1, width // GRID_LINES)].T]
    found = [_steps(lines) for lines in along if lines.shape[1] > 2 * GRID]
    if not found:
        return 1.0
    inner = sum(each[0] for each in found) + STEP_FLOOR * len(found)
    outer = sum(each[1] for each in found) + STEP_FLOOR * len(found)
    return min(1.0, inner / outer)


def _steps(lines: Words) -> tuple[float, float]:
    """Return the mean step along lines inside blocks, and across block borders."""
    green = np.ascontiguousarray(lines >> 8 & 255).astype(np.int32)
    profile = np.abs(green[:, 1:] - green[:, :-1]).sum(axis=0)
    borders = [profile[start - 1 :: GRID] for start in {GRID, lines.shape[1] % GRID or GRID}]
    outer = max(borders, key=lambda each: (each.mean(), each.size))
    rest = profile.size - outer.size
    inner = (int(profile.sum()) - int(outer.sum())) / rest
    return inner / len(lines), int(outer.sum()) / outer.size / len(lines)
