"""Tell whether a part that differs is drawn over a picture: words, marks, frames, bars.

What is drawn is of few gray levels, or lets the picture shine through, or is made of strokes that
one picture has and the other lacks; another face, hand or pose is none of these.
"""

from enum import IntEnum

import cv2
import numpy as np
import numpy.typing as npt


class Overlay(IntEnum):
    """What a part that differs is."""

    NONE = 0
    """Another face, hand or pose."""

    LINE = 1
    """As low and long as a line of words: where others are words, so is this."""

    WORDS = 2
    DRAWN = 3
    """A bar, frame, box or mark."""


MODES = 2
MODE_WIDTH = 16
DRAWN = 0.75
THROUGH = 0.9
"""An overlay's gray values lie in `MODES` stretches of `MODE_WIDTH` levels, this share of them."""

LOW, WHOLE, FILLED = 0.2, 0.9, 0.8
"""Text and marks are low, bars and frames as long as a side, boxes filled: shares of these. What is
narrow but not low may be a face."""

LOW_AT_EDGE, EDGE = 0.22, 3
"""A bar along top or bottom (so many pixels from it or fewer) may be as high: parts of it that
differ may be shorter than the side."""

STROKE = 11
"""Pixels across, at the reduced size, below which a shape counts as a stroke."""

LINE, WIDER = 0.25, 1.3
"""Words are no higher than this share of the overlap, and so many times as wide as high."""

SHARPER = 2.2
"""Words bring so many times as much stroke detail as is there without them: of planted words half
bring 4.5, of exchanged faces nine in ten less than 2.2."""

BESIDE = 60.0
"""Levels by which two pictures may differ once strokes are taken away: the strokes' edges stay."""

BESIDE_WORDS = 80.0
"""The same where other words are: detail behind them takes from how much detail they bring."""

MIN_DETAIL = 1.0

Plane = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Box = npt.NDArray[np.int32]


def overlay(
    planes: tuple[Plane, Plane], region: Mask, around: Mask, box: Box, frame: Box
) -> Overlay:
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
    frame : ndarray of int32
        Left, top, width and height of the overlap.

    Returns
    -------
    Overlay
        What is drawn over either picture, or both.
    """
    _, _, width, height, _ = box.tolist()
    high = height / int(frame[3])
    line = high <= LINE and width >= WIDER * height
    strokes, beside = _strokes(planes, region, box) if line else (0.0, np.inf)
    if strokes >= SHARPER and beside <= BESIDE:
        return Overlay.WORDS
    if _shaped(box, frame) and _few_levels(planes, region, around):
        return Overlay.DRAWN
    return Overlay.LINE if beside <= BESIDE_WORDS else Overlay.NONE


def _shaped(box: Box, frame: Box) -> bool:
    """Tell whether a part has the shape of a bar, a box, a mark or a frame."""
    width, height, area = box[2:].tolist()
    high, along = height / int(frame[3]), max(width / int(frame[2]), height / int(frame[3]))
    if high <= LOW or along >= WHOLE or area >= FILLED * width * height:
        return True
    above = int(box[1] - frame[1])
    below = int(frame[3]) - above - height
    at_edge = min(above, below) <= EDGE
    return at_edge and high <= LOW_AT_EDGE and width > height


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


def _strokes(planes: tuple[Plane, Plane], region: Mask, box: Box) -> tuple[float, float]:
    """Return how many times as many strokes one picture has, and how both differ without any."""
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
    less, more = sorted(strokes)
    return more / max(less, MIN_DETAIL), _mean_square(bare[0][inside] - bare[1][inside])


def _without_strokes(plane: Plane) -> Plane:
    """Take away light and dark shapes narrower than `STROKE`, in either order."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (STROKE, STROKE))
    light, dark = cv2.MORPH_OPEN, cv2.MORPH_CLOSE
    one = cv2.morphologyEx(cv2.morphologyEx(plane, light, kernel), dark, kernel)
    other = cv2.morphologyEx(cv2.morphologyEx(plane, dark, kernel), light, kernel)
    return np.asarray((one + other) / 2, np.float32)


def _mean_square(values: Plane) -> float:
    return float(np.sqrt((values**2).mean()))
