"""Measure the quality of a picture from its decoded pixels.

Brightness, entropy and edges are measured as in cleanvision 0.3.7 (its module
`issue_managers/image_property.py`), so that scores made from them equal cleanvision's. The other
measures are this project's own. All sums are of whole numbers: equal pixels give equal bits on
every machine.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageFilter

from webemo_curate.imaging.brightness import brightness
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

SHADES: Final = 256
VALUES: Final = range(SHADES)
SQUARES: Final = tuple(value * value for value in VALUES)
"""What the counts of a histogram are multiplied by; sums over these are those over all pixels."""


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
    small = reduced_for_edges(picture)
    shades = small.convert("L")
    counts = shades.histogram()
    return Measures(
        brightness_p5=low,
        brightness_p99=high,
        entropy=(picture.getchannel(0) if gray else picture).entropy(),
        edges=_edges(shades),
        gray_spread=_deviation(SHADES, sum(counts), sum(count * count for count in counts)),
        chroma=_chroma(small),
        inside=inside_borders(pixels),
        grid=grid_steps(pixels),
    )


def reduced_for_edges(picture: Image.Image) -> Image.Image:
    """Reduce a picture as cleanvision does before it detects edges.

    Parameters
    ----------
    picture : PIL.Image.Image
        RGB.

    Returns
    -------
    PIL.Image.Image
        Its longer side is `EDGE_SIDE` pixels or less.
    """
    picture = moderate(picture)
    ratio = max(picture.size) / EDGE_SIDE
    if ratio <= 1:
        return picture
    width, height = (max(int(side // ratio), 1) for side in picture.size)
    return picture.resize((width, height))


def _edges(shades: Image.Image) -> float:
    """Return the standard deviation of a gray picture's edges."""
    counts = shades.filter(ImageFilter.FIND_EDGES).histogram()
    total = sum(map(mul, counts, VALUES))
    return _deviation(sum(counts), total, sum(map(mul, counts, SQUARES)))


def _deviation(count: int, total: int, squares: int) -> float:
    """Return the standard deviation of whole numbers, from their sums."""
    return math.sqrt(squares * count - total * total) / count


def _chroma(small: Image.Image) -> float:
    red, green, blue = small.split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    least = ImageChops.darker(ImageChops.darker(red, green), blue)
    ends = [*accumulate(ImageChops.subtract(most, least).histogram())]
    return bisect_right(ends, math.floor(BRIGHTEST * (ends[-1] - 1))) / 255


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
    greens = pixels.view(np.uint8).reshape(height, width, 4)[:, :, 1]
    along = [greens[:: max(1, height // GRID_LINES)], greens[:, :: max(1, width // GRID_LINES)].T]
    found = [_steps(lines) for lines in along if lines.shape[1] > 2 * GRID]
    if not found:
        return 1.0
    inner = sum(each[0] for each in found) + STEP_FLOOR * len(found)
    outer = sum(each[1] for each in found) + STEP_FLOOR * len(found)
    return min(1.0, inner / outer)


def _steps(greens: npt.NDArray[np.uint8]) -> tuple[float, float]:
    """Return the mean step along lines inside blocks, and across block borders."""
    values = greens.astype(np.int16)
    steps = values[:, 1:] - values[:, :-1]
    profile = np.abs(steps, out=steps).sum(axis=0, dtype=np.int32)
    starts = {GRID, greens.shape[1] % GRID or GRID}
    borders = [profile[start - 1 :: GRID].tolist() for start in starts]
    outer = max(borders, key=lambda each: (sum(each) / len(each), len(each)))
    rest = len(profile) - len(outer)
    inner = (int(profile.sum()) - sum(outer)) / rest
    return inner / len(greens), sum(outer) / len(outer) / len(greens)
