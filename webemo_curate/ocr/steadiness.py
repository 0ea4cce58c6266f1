"""Check that a box reads the same when its edges are moved a little.

Words do. Over a chain, a fence or a row of faces a recognizer guesses, and each pixel that the crop
moves changes the guess.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SHIFT = 0.08
"""Fractions of a box's height by which it is moved along and across its text before it is read
again."""

MOVES = 2
"""Number of boxes that `moved` makes from one."""

FEWEST, MIN_CONFIDENCE = 2, 0.4
"""Least letters and digits, and least confidence, for a box to be read again; others cannot confirm
text (`ocr.requirement`)."""

Corners = NDArray[np.float32]


def worth_reading_again(text: str, confidence: float) -> bool:
    """Return whether a reading might confirm text, so that reading again is worthwhile.

    Parameters
    ----------
    text : str
        The text read.
    confidence : float
        Its confidence.

    Returns
    -------
    bool
        Whether it has enough letters and confidence.
    """
    return confidence >= MIN_CONFIDENCE and len(_letters(text)) >= FEWEST


def moved(corners: Corners) -> tuple[Corners, Corners]:
    """Move a box along and across its text: once forward and down, once back and up.

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
    """Return how strongly all readings of a box support the first one.

    Parameters
    ----------
    text : str
        The first reading.
    confidence : float
        Its confidence.
    again : Sequence of (str, float)
        Text and confidence of the readings of the `moved` boxes.

    Returns
    -------
    float
        0 to 1: the mean of the readings' confidences, each multiplied by its likeness to the first
        reading. The likeness is 1 minus the edit distance (Levenshtein 1966) of letters and digits,
        ignoring case, divided by the length of the longer reading.
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
