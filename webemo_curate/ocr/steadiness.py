"""Check that a box reads the same when its edges are moved a little.

Words do. Over a chain, a fence or a row of faces a recognizer guesses, and guesses otherwise with
every pixel that the crop moves.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SHIFT = 0.08
"""Fractions of a box's height by which it is moved towards its ends before it is read again."""

MOVES = 2
"""Boxes that `moved` makes of one."""

FEWEST, LEAST_CONFIDENCE = 2, 0.4
"""Letters and digits, and the confidence, from which a box is read again: what is read of others
confirms nothing (`ocr.requirement`)."""

Corners = NDArray[np.float32]


def worth_reading_again(text: str, confidence: float) -> bool:
    """Tell whether a reading might confirm text, so that a second one means something.

    Parameters
    ----------
    text : str
        What was read.
    confidence : float
        How surely.

    Returns
    -------
    bool
        Whether it has letters and confidence enough.
    """
    return confidence >= LEAST_CONFIDENCE and len(_letters(text)) >= FEWEST


def moved(corners: Corners) -> tuple[Corners, Corners]:
    """Move a box along and across its text, once forward and down, once back and up.

    Parameters
    ----------
    corners : numpy.ndarray
        float32, (4, 2), image pixels, clockwise from the top left.

    Returns
    -------
    tuple of numpy.ndarray
        Two boxes of the same size.
    """
    along, across = corners[1] - corners[0], corners[3] - corners[0]
    lengths = np.linalg.norm(along), np.linalg.norm(across)
    step = np.float32(SHIFT * min(lengths))
    tiny = np.finfo(np.float32).tiny
    by = step * (along / max(lengths[0], tiny) + across / max(lengths[1], tiny))
    return (corners + by).astype(np.float32), (corners - by).astype(np.float32)


def support(text: str, confidence: float, again: Sequence[tuple[str, float]]) -> float:
    """Return how much all readings of a box say for the first one.

    Parameters
    ----------
    text : str
        What was read first.
    confidence : float
        How surely.
    again : Sequence of (str, float)
        What was read of the box as `moved`, and how surely.

    Returns
    -------
    float
        0 to 1: the mean of the readings' confidences, each as far as it is like the first one: 1
        less the edit distance of letters and digits, whatever their case, per sign of the longer
        reading (Levenshtein 1966).
    """
    letters = _letters(text)
    said = [sure * _likeness(letters, _letters(other)) for other, sure in again]
    return (confidence + sum(said)) / (1 + len(said))


def _letters(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def _likeness(one: str, other: str) -> float:
    longer = max(len(one), len(other))
    return 1 - _edit_distance(one, other) / longer if longer else 1.0


def _edit_distance(one: str, other: str) -> int:
    before = list(range(len(other) + 1))
    for row, sign in enumerate(one, start=1):
        after = [row]
        for column, letter in enumerate(other, start=1):
            replaced = before[column - 1] + (sign != letter)
            after.append(min(replaced, before[column] + 1, after[-1] + 1))
        before = after
    return before[-1]
