"""Measure how two aligned pictures differ: in noise, under an overlay, or in a part.

Gray values are brought to one scale by a robust line, so that recoloring is no difference. A pixel
has changed where it lies outside the range of its neighborhood in the other picture, in both
directions: re-scaling and a placing that misses by a pixel stay inside. Changed pixels make parts.
What is drawn over a picture (`overlays`) is no change of what it shows.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from webemo_curate.duplicates.local_detail import other_detail
from webemo_curate.duplicates.overlays import Box, Overlay, overlay

SIDE = 256
"""Pixels to which the longer side of the overlap's frame is reduced."""

BLUR = 1.2
EDGE = 9
"""Pixels a side by which the overlap shrinks: a blur mixes its edge with what lies beyond."""

REACH = 5
"""Pixels a side of the neighborhood in which a gray value may lie elsewhere."""

COVERED = 0.2
"""Share of the overlap that may be written or drawn over: the worst-fitting pixels do not count."""

FITTED, FEWEST, MIDDLE = 4096, 50, 0.7
"""Pixels of a fit, pixels of a start, and the share of each side that is the middle."""

CONCENTRATIONS = 3
"""Steps of the robust fit: captions are found in two."""

LEVELS = 1.0
"""Standard deviation in gray levels below which an overlap is blank."""

MIN_AREA = 200
"""Pixels of overlap below which nothing can be said."""

CHANGE = 0.8
CHANGES = (6.0, 18.0)
"""A change is this share of the picture's standard deviation, within these bounds in levels."""

BLOCK = 16
STRUCTURE = 3.0
"""Standard deviation in gray levels from which a block has structure."""

MIN_PART = 0.002
"""Share of the overlap below which a changed part does not count."""

WORDS = 0.005
"""Share of the overlap that words take, from which what is as low and long counts as words too."""

JOIN = 5
"""Pixels a side by which changed pixels grow to join into parts."""

RING = 15
"""Pixels a side by which a part grows to what lies around it."""

DETAIL, SMOOTH = 8.0, 4.0
"""Detail is what a blur of so many pixels takes away; below so many levels there is none."""

SHINING = 0.6
"""Correlation of detail from which a part is the same, recolored or under something translucent."""

Gray = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Difference:
    """How well two pictures agree where they overlap.

    Attributes
    ----------
    correlation
        Pearson's, of the gray values, without the `COVERED` share that fits worst.
    agreeing
        Share of the area with structure that has not changed.
    changed
        Area of the changed parts that no overlay explains, as a share of the overlap.
    """

    correlation: float
    agreeing: float
    changed: float


NO_AGREEMENT = Difference(0.0, 0.0, 1.0)


def difference(ours: Gray, theirs: Gray, inside: Mask) -> Difference:
    """Measure how two pictures differ.

    Parameters
    ----------
    ours, theirs : ndarray of uint8, shape (height, width)
        Gray values, the second picture laid on the first.
    inside : ndarray of bool, shape (height, width)
        Where they overlap.

    Returns
    -------
    Difference
        `NO_AGREEMENT` if the overlap is too small or blank.
    """
    core = cv2.erode(inside.astype(np.uint8), np.ones((EDGE, EDGE))) > 0
    first, second = _blurred(ours), _blurred(theirs)
    if core.sum() < MIN_AREA or min(first[core].std(), second[core].std()) < LEVELS:
        return NO_AGREEMENT
    correlation, slope, offset = _fit(first, second, core)
    fitted = (offset + slope * second).astype(np.float32)
    sharp = ours.astype(np.float32), (offset + slope * theirs).astype(np.float32)
    fine = _detail(first, core), _detail(fitted, core)
    changed = _changed(*fine, core)
    other = other_detail(first, fitted) & core
    structured = _structured(first, fitted, core)
    structured = structured if structured.any() else core
    agreeing = float((structured & ~changed).sum() / max(1, structured.sum()))
    parts, area = _parts(sharp, fine, changed, core), float(core.sum())
    words = sum(part.size for part in parts if part.overlay == Overlay.WORDS) >= WORDS * area
    largest = _largest(parts, _parts(sharp, None, other, core), words)
    return Difference(correlation, agreeing, largest / area)


def _blurred(gray: Gray) -> Plane:
    return np.asarray(cv2.GaussianBlur(gray.astype(np.float32), (0, 0), BLUR), np.float32)


def _fit(ours: Plane, theirs: Plane, core: Mask) -> tuple[float, float, float]:
    """Return the trimmed correlation, and the line that brings the second to the first's scale.

    Least trimmed squares by concentration steps (Rousseeuw and Van Driessen, "Computing LTS
    Regression for Large Data Sets", Data Mining and Knowledge Discovery 12, 2006), from all pixels
    and from each half of the overlap: a frame or a bar would bend a line through all of them.
    """
    rows, columns = np.nonzero(core)
    some = slice(None, None, max(1, rows.size // FITTED))
    rows, columns = rows[some], columns[some]
    y, x = ours[rows, columns].astype(np.float64), theirs[rows, columns].astype(np.float64)
    lines = [_trimmed_line(x, y, start) for start in _starts(rows, columns)]
    _, slope, offset, chosen = min(lines, key=lambda line: line[0])
    if min(x[chosen].std(), y[chosen].std()) < LEVELS:
        return 0.0, 1.0, 0.0
    correlation = float(np.corrcoef(x[chosen], y[chosen])[0, 1])
    return correlation, slope, offset


def _starts(rows: Positions, columns: Positions) -> list[Positions]:
    """Return the pixels from which the line is sought: all, the middle and each half."""
    down, right = (2.0 * (p - p.min()) / max(1, np.ptp(p)) - 1 for p in (rows, columns))
    middle = np.maximum(np.abs(down), np.abs(right)) < MIDDLE
    parts = [down < 2, middle, down < 0, down > 0, right < 0, right > 0]
    return [np.flatnonzero(part) for part in parts if part.sum() > FEWEST]


def _trimmed_line(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], chosen: Positions
) -> tuple[float, float, float, Positions]:
    """Return misfit, slope, offset and the pixels that fit best."""
    keep = round(y.size * (1 - COVERED))
    slope = offset = misfit = 0.0
    for _ in range(CONCENTRATIONS):
        some, other = x[chosen], y[chosen]
        deviation = some - some.mean()
        slope = float((deviation @ other) / max(deviation @ deviation, LEVELS * some.size))
        offset = float(other.mean() - slope * some.mean())
        residual = np.abs(y - offset - slope * x)
        chosen = np.argpartition(residual, keep - 1)[:keep]
        misfit = float(residual[chosen].mean() / max(y[chosen].std(), LEVELS))
    return misfit, slope, offset, chosen


def _detail(plane: Plane, core: Mask) -> Plane:
    """Return what a wide blur takes away; nothing beyond the overlap enters the blur."""
    weight = cv2.GaussianBlur(core.astype(np.float32), (0, 0), DETAIL)
    mean = cv2.GaussianBlur(np.where(core, plane, 0).astype(np.float32), (0, 0), DETAIL)
    return np.asarray(np.where(core, plane - mean / np.maximum(weight, 1e-3), 0), np.float32)


def _changed(ours: Plane, theirs: Plane, core: Mask) -> Mask:
    spread = CHANGE * min(float(ours[core].std()), float(theirs[core].std()))
    limit = float(np.clip(spread, *CHANGES))
    beyond = np.maximum(_outside(ours, theirs), _outside(theirs, ours))
    found = ((beyond > limit) & core).astype(np.uint8)
    opened = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((2, 2)))
    return np.asarray(opened > 0)


def _outside(one: Plane, other: Plane) -> Plane:
    """Return by how much each value lies outside the range of the other's neighborhood."""
    window = np.ones((REACH, REACH))
    above, below = one - cv2.dilate(other, window), cv2.erode(other, window) - one
    return np.asarray(np.maximum(np.maximum(above, below), 0), np.float32)


def _structured(ours: Plane, theirs: Plane, core: Mask) -> Mask:
    deviation = np.maximum(_deviation(ours), _deviation(theirs))
    return np.asarray((deviation > STRUCTURE) & core)


def _deviation(plane: Plane) -> Plane:
    mean, square = (cv2.blur(p, (BLOCK, BLOCK)) for p in (plane, plane**2))
    return np.asarray(np.sqrt(np.maximum(square - mean**2, 0)), np.float32)


class _Part(NamedTuple):
    """A part that differs: its changed pixels, what it is, and where."""

    size: int
    overlay: Overlay
    region: Mask


def _parts(
    sharp: tuple[Plane, Plane], fine: tuple[Plane, Plane] | None, changed: Mask, core: Mask
) -> list[_Part]:
    """Return the parts of some size; where `fine` is given, those whose detail is another."""
    joined = cv2.dilate(changed.astype(np.uint8), np.ones((JOIN, JOIN)))
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(joined)
    still = core & (joined == 0) & (np.abs(sharp[0] - sharp[1]) < CHANGES[0])
    smallest, frame, found = MIN_PART * float(core.sum()), _frame(core), []
    for number in range(1, count):
        region = labels == number
        where = region & changed
        size = int(where.sum())
        if size <= smallest or (fine and _same_detail(fine[0][where], fine[1][where])):
            continue
        around = (cv2.dilate(region.astype(np.uint8), np.ones((RING, RING))) > 0) & still
        box = np.asarray(boxes[number], np.int32)
        found.append(_Part(size, overlay(sharp, region, around, box, frame), region))
    return found


def _frame(core: Mask) -> Box:
    """Return left, top, width and height of the overlap."""
    rows, columns = np.nonzero(core)
    ends = columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1
    return np.array(ends, np.int32)


def _largest(parts: list[_Part], detailed: list[_Part], words: bool) -> float:
    """Return the size of the largest part that no overlay explains.

    A part of other gray values may have, in the same place, one of other detail: both count. The
    window in which detail is compared makes a part twice as large.
    """
    explained = Overlay.LINE if words else Overlay.WORDS
    own, other = ([p for p in side if p.overlay < explained] for side in (parts, detailed))
    sizes = [part.size / 2 for part in other]
    for part in own:
        beside = (o.size / 2 for o in other if (o.region & part.region).any())
        sizes.append(part.size + sum(beside))
    return max(sizes, default=0.0)


def _same_detail(ours: Plane, theirs: Plane) -> bool:
    """Tell whether detail is the same or there is none: new light or color, a mark over it."""
    if max(ours.std(), theirs.std()) < SMOOTH:
        return True
    if min(ours.std(), theirs.std()) < LEVELS:
        return False
    return bool(np.corrcoef(ours, theirs)[0, 1] >= SHINING)
