"""Whether a part that differs is drawn over a picture: words, captions, marks, frames, bars.

What is drawn is of few gray levels, or lets the picture shine through, or is made of strokes that
one picture has and the other lacks; another face, hand or pose is none of these.
"""

import cv2
import numpy as np
import numpy.typing as npt

MODES = 2
MODE_WIDTH = 16
DRAWN = 0.75
THROUGH = 0.9
"""An overlay's gray values lie in `MODES` stretches of `MODE_WIDTH` levels, this share of them."""

LOW, WHOLE, FILLED = 0.2, 0.9, 0.8
"""Text and marks are low, bars and frames as long as a side, boxes filled: shares of these. What is
narrow but not low may be a face."""

STROKE = 11
"""Pixels across, at the reduced size, below which a shape counts as a stroke."""

LINE, WIDER = 0.25, 1.3
"""Words are no higher than this share of the overlap, and so many times as wide as high."""

SHARPER = 2.2
"""Words bring so many times as much stroke detail as is there without them: of planted words half
bring 4.5, of exchanged faces nine in ten less than 2.2."""

BESIDE = 60.0
"""Levels by which two pictures may differ once strokes are taken away: the strokes' edges stay."""

LEAST_DETAIL = 1.0

Plane = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Box = npt.NDArray[np.int32]


def overlaid(
    planes: tuple[Plane, Plane], region: Mask, around: Mask, box: Box, frame: tuple[int, int]
) -> bool:
    """Tell whether an overlay explains that a part differs.

    Parameters
    ----------
    planes : tuple of ndarray of float32, shape (height, width)
        Gray values of both pictures, brought to one scale.
    region : ndarray of bool, shape (height, width)
        The part.
    around : ndarray of bool, shape (height, width)
        What agrees around it.
    box : ndarray of int32
        Left, top, width, height and area of the part.
    frame : tuple of int
        Height and width of the overlap.

    Returns
    -------
    bool
        Whether it is drawn over either picture, or both.
    """
    _, _, width, height, area = box.tolist()
    high, along = height / frame[0], max(width / frame[1], height / frame[0])
    shaped = high <= LOW or along >= WHOLE or area >= FILLED * width * height
    if shaped and _few_levels(planes, region, around):
        return True
    line = high <= LINE and width >= WIDER * height
    return line and _written(planes, region, box)


def _few_levels(planes: tuple[Plane, Plane], region: Mask, around: Mask) -> bool:
    """Tell whether what differs is of few gray levels, or shines through."""
    ours, theirs = planes
    weight = (ours[region] - theirs[region]) ** 2
    sides = ours, theirs, np.maximum(ours, theirs), np.minimum(ours, theirs)
    if any(_drawn(plane[region], weight, plane[around]) for plane in sides):
        return True
    x, y = (p[region] - np.average(p[region], weights=weight) for p in planes)
    spread = np.sqrt((weight @ x**2) * (weight @ y**2))
    return bool(weight @ (x * y) >= THROUGH * spread)


def _drawn(values: Plane, weight: Plane, around: Plane) -> bool:
    """Tell whether values are few, and others than those around."""
    if _share_of_modes(values, weight) < DRAWN:
        return False
    if not around.size:
        return True
    other = np.abs(values - np.median(around)) > MODE_WIDTH
    return bool(weight[other].sum() >= weight.sum() / 2)


def _share_of_modes(values: Plane, weight: Plane) -> float:
    counts, _ = np.histogram(values, np.arange(-256, 512, MODE_WIDTH / 2), weights=weight)
    pairs = counts[:-1] + counts[1:]
    total = 0.0
    for _ in range(MODES):
        best = int(pairs.argmax())
        total += float(pairs[best])
        pairs[max(0, best - 1) : best + 2] = 0
    return total / float(weight.sum())


def _written(planes: tuple[Plane, Plane], region: Mask, box: Box) -> bool:
    """Tell whether one picture has strokes over what both show without them."""
    left, top, width, height, _ = box.tolist()
    margin = 2 * STROKE
    near = (
        slice(max(0, top - margin), top + height + margin),
        slice(max(0, left - margin), left + width + margin),
    )
    inside = region[near]
    whole = [plane[near] for plane in planes]
    bare = [_without_strokes(plane) for plane in whole]
    strokes = [_mean_square(w[inside] - b[inside]) for w, b in zip(whole, bare, strict=True)]
    beside = _mean_square(bare[0][inside] - bare[1][inside])
    less, more = sorted(strokes)
    return more >= SHARPER * max(less, LEAST_DETAIL) and beside <= BESIDE


def _without_strokes(plane: Plane) -> Plane:
    """Take away light and dark shapes narrower than `STROKE`, in either order."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (STROKE, STROKE))
    light, dark = cv2.MORPH_OPEN, cv2.MORPH_CLOSE
    one = cv2.morphologyEx(cv2.morphologyEx(plane, light, kernel), dark, kernel)
    other = cv2.morphologyEx(cv2.morphologyEx(plane, dark, kernel), light, kernel)
    return np.asarray((one + other) / 2, np.float32)


def _mean_square(values: Plane) -> float:
    return float(np.sqrt((values**2).mean()))
