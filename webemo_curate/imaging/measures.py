"""The measures by which the quality of a picture is judged, taken from its decoded pixels.

Brightness, entropy and edges are measured as cleanvision 0.3.7 measures them (its module
`issue_managers/image_property.py`), so that scores made of them are its scores; the others are
this project's own. All sums are of whole numbers: equal pixels give equal bits on every machine.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from webemo_curate.imaging.reducing import moderate

Bytes = npt.NDArray[np.uint8]

WEIGHTS: Final = np.array([241.0, 691.0, 68.0])
"""Of the squares of red, green and blue in a pixel's perceived brightness, in thousandths (the HSP
color model, http://alienryderflex.com/hsp.html, as cleanvision rounds it)."""

WHITE: Final = 1000.0 * 255 * 255
"""The weighted squares of a white pixel."""

LEVEL_BITS: Final = 10
"""Low bits of weighted squares that are left out when pixels are ordered: the rest has 16."""

DARKEST, BRIGHTEST = 0.05, 0.99
"""The parts of pixels whose brightness tells a light and a dark picture."""

STRIP_PIXELS: Final = 16_384
"""Pixels whose brightness is computed at once: their numbers stay in a core's cache."""

EDGE_SIDE: Final = 64
"""Longest side at which edges are measured, so that blur does not depend on a picture's size."""

BORDER_STEP: Final = 8
"""Largest difference, of 255, of pixels of a blank border from the middle of its outermost line:
what JPEG's rounding leaves of one color."""

GRID: Final = 8
"""Pixels a side of a JPEG's blocks (ITU T.81)."""

GRID_LINES: Final = 32
"""Lines across a picture along which steps at the grid are measured, about: enough for a mean."""

STEP_FLOOR: Final = 0.5
"""Added to mean steps, of 255, before two are compared: below it there is nothing to see."""


@dataclass(frozen=True)
class Measures:
    """A picture's measures.

    Attributes
    ----------
    brightness_p5, brightness_p99
        Percentiles of the pixels' perceived brightness, 0 to 1.
    entropy
        Bits, of the histogram of all color values; of a gray picture, of its gray values.
    edges
        Standard deviation of the edges at `EDGE_SIDE` pixels, in gray values.
    gray_spread
        Standard deviation of the counts of the 256 gray values at `EDGE_SIDE` pixels.
    chroma
        The 99th percentile of the range of red, green and blue, 0 to 1; 0 has no color at all.
    inside
        Share of the picture within blank borders; 1 without any, 0 of one color.
    grid
        Mean step between neighbors inside JPEG's blocks, by that across their borders, at most 1.
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
        Whether the file stores gray values alone: entropy is then of one channel, as cleanvision's.

    Returns
    -------
    Measures
        Of all its pixels.
    """
    pixels = np.asarray(picture)
    low, high = brightness(pixels, (DARKEST, BRIGHTEST))
    small = _small(picture)
    shades = small.convert("L")
    return Measures(
        brightness_p5=low,
        brightness_p99=high,
        entropy=(picture.getchannel(0) if gray else picture).entropy(),
        edges=_deviation(np.asarray(shades.filter(ImageFilter.FIND_EDGES))),
        gray_spread=_deviation(np.asarray(shades.histogram())),
        chroma=_chroma(np.asarray(small)),
        inside=inside_borders(pixels),
        grid=grid_steps(pixels),
    )


def brightness(pixels: Bytes, parts: Sequence[float]) -> list[float]:
    """Return quantiles of the pixels' perceived brightness, interpolated as NumPy's percentiles.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        RGB.
    parts : sequence of float
        0 to 1.

    Returns
    -------
    list of float
        Brightness, 0 to 1: the root of the weighted mean of the squared channels.
    """
    flat = pixels.reshape(-1, 3)
    squares = np.empty(len(flat), np.int32)
    for start in range(0, len(flat), STRIP_PIXELS):
        strip = flat[start : start + STRIP_PIXELS].astype(np.float64)
        np.multiply(strip, strip, out=strip)
        squares[start : start + STRIP_PIXELS] = strip @ WEIGHTS
    levels = (squares >> LEVEL_BITS).astype(np.uint16)
    ordered = np.sort(levels)  # half the time of sorting 32 bits
    return [_quantile(squares, levels, ordered, part) for part in parts]


def _quantile(
    squares: npt.NDArray[np.int32],
    levels: npt.NDArray[np.uint16],
    ordered: npt.NDArray[np.uint16],
    part: float,
) -> float:
    """Return a quantile, looking into the levels of its two pixels alone."""
    place = part * (len(squares) - 1)
    low, high = math.floor(place), math.ceil(place)
    least, most = ordered[low], ordered[high]
    within = squares[(levels >= least) & (levels <= most)]
    first = low - int(np.searchsorted(ordered, least))
    second = first + high - low
    ranked = np.partition(within, (first, second))
    under, over = (math.sqrt(int(ranked[rank]) / WHITE) for rank in (first, second))
    return under + (over - under) * (place - low)


def _small(picture: Image.Image) -> Image.Image:
    """Reduce a picture as cleanvision does before it looks for edges."""
    picture = moderate(picture)
    ratio = max(picture.size) / EDGE_SIDE
    if ratio <= 1:
        return picture
    width, height = (max(int(side // ratio), 1) for side in picture.size)
    return picture.resize((width, height))


def _deviation(values: npt.NDArray[np.integer]) -> float:
    """Return the standard deviation of whole numbers, from whole sums."""
    total, squares = int(values.sum()), int(np.square(values, dtype=np.int64).sum())
    return math.sqrt(squares * values.size - total * total) / values.size


def _chroma(small: Bytes) -> float:
    red, green, blue = (small[:, :, channel] for channel in range(3))
    most = np.maximum(np.maximum(red, green), blue)
    ranges = (most - np.minimum(np.minimum(red, green), blue)).ravel()
    place = math.floor(BRIGHTEST * (ranges.size - 1))
    return int(np.partition(ranges, place)[place]) / 255


def inside_borders(pixels: Bytes) -> float:
    """Return the share of a picture that lies within its blank borders.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        RGB.

    Returns
    -------
    float
        Lines of one color are taken off every side, rows first; 1 where none is blank.
    """
    height, width = pixels.shape[:2]
    top = _blank_lines(pixels)
    if top == height:
        return 0.0
    rows = pixels[top : height - _blank_lines(pixels[::-1])]
    columns = rows.transpose(1, 0, 2)
    left, right = _blank_lines(columns), _blank_lines(columns[::-1])
    return len(rows) * (width - left - right) / (height * width)


def _blank_lines(lines: Bytes) -> int:
    """Count the lines from the first on that are of one color, but for `BORDER_STEP`."""
    green = lines[0, :, 1]  # of most pictures it alone says that the line is not
    if int(green.max()) - int(green.min()) > 2 * BORDER_STEP:
        return 0
    darkest, brightest = lines[0].min(axis=0), lines[0].max(axis=0)
    if (brightest - darkest > 2 * BORDER_STEP).any():
        return 0
    middle = (brightest.astype(np.int16) + darkest) // 2
    low = np.maximum(middle - BORDER_STEP, 0).astype(np.uint8)
    high = np.minimum(middle + BORDER_STEP + 1, 255).astype(np.uint8)
    count = 0
    for block in _blocks(lines):
        blank = ((block >= low) & (block <= high)).all(axis=(1, 2))
        if not blank.all():
            return count + int(blank.argmin())
        count += len(block)
    return count


def _blocks(lines: Bytes) -> Iterator[Bytes]:
    """Yield the first line alone, with which most pictures end, then ever more at a time."""
    start, size = 0, 1
    while start < len(lines):
        yield lines[start : start + size]
        start, size = start + size, min(4 * size, 64)


def grid_steps(pixels: Bytes) -> float:
    """Compare the steps between neighbors inside JPEG's blocks with those across their borders.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        RGB; its green channel is looked at.

    Returns
    -------
    float
        About 1 without blocks (where there are fewer than three of them, exactly), towards 0 the
        more they stand out. Turned pictures have the grid begin at the other end: the stronger of
        the two counts.
    """
    green = pixels[:, :, 1]
    height, width = green.shape
    along = [green[:: max(1, height // GRID_LINES)], green[:, :: max(1, width // GRID_LINES)].T]
    found = [_steps(lines) for lines in along if lines.shape[1] > 2 * GRID]
    if not found:
        return 1.0
    inner = sum(each[0] for each in found) + STEP_FLOOR * len(found)
    outer = sum(each[1] for each in found) + STEP_FLOOR * len(found)
    return min(1.0, inner / outer)


def _steps(lines: Bytes) -> tuple[float, float]:
    """Return the mean step along lines inside blocks, and across their borders."""
    after, before = lines[:, 1:], lines[:, :-1]
    steps = np.maximum(after, before) - np.minimum(after, before)
    profile = steps.sum(axis=0, dtype=np.int64)
    borders = [profile[start - 1 :: GRID] for start in {GRID, lines.shape[1] % GRID or GRID}]
    outer = max(borders, key=lambda each: (each.mean(), each.size))
    rest = profile.size - outer.size
    inner = (int(profile.sum()) - int(outer.sum())) / rest
    return inner / len(lines), int(outer.sum()) / outer.size / len(lines)
