"""Find the places where two aligned pictures both have detail, but not the same.

Gray values are correlated within a window around each pixel, so that a change counts however faint
its contrast is beside that of the whole picture: another mouth below dark hair on a white wall.
"""

from itertools import product

import cv2
import numpy as np
import numpy.typing as npt

WINDOW = 13
"""Pixels a side of the window."""

SHIFTS = (-2, 0, 2)
"""Pixels by which a placing may miss, down and right: the best correlation counts."""

OTHER = 0.4
"""Correlation below which detail is another."""

CLEAR, SEEN = 10.0, 6.0
"""Deviations in gray levels from which a window has detail: one picture's, and the other's too."""

LEAST = 9.0

Plane = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def other_detail(ours: Plane, theirs: Plane) -> Mask:
    """Tell where detail is another.

    Parameters
    ----------
    ours, theirs : ndarray of float32, shape (height, width)
        Gray values, the second picture laid on the first and brought to its scale.

    Returns
    -------
    ndarray of bool, shape (height, width)
        Single pixels left out.
    """
    mean, own = _moments(ours)
    other_mean, other_own = _moments(theirs)
    best = np.full(ours.shape, -1, np.float32)
    for shift in product(SHIFTS, SHIFTS):
        moved, moved_mean, moved_own = (
            np.roll(plane, shift, (0, 1)) for plane in (theirs, other_mean, other_own)
        )
        shared = _blurred(ours * moved) - mean * moved_mean
        best = np.maximum(best, shared / np.sqrt(np.maximum(own * moved_own, LEAST)))
    detailed = (np.maximum(own, other_own) > CLEAR**2) & (np.minimum(own, other_own) > SEEN**2)
    found = ((best < OTHER) & detailed).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((3, 3))) > 0)


def _moments(plane: Plane) -> tuple[Plane, Plane]:
    """Return the mean and the variance within each window."""
    mean = _blurred(plane)
    return mean, np.maximum(_blurred(plane**2) - mean**2, 0)


def _blurred(plane: Plane) -> Plane:
    return np.asarray(cv2.blur(plane, (WINDOW, WINDOW)), np.float32)
