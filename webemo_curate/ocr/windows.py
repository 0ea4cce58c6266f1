"""Split images into windows that are decoded together, within bounds of memory."""

from collections.abc import Iterator
from typing import Any

PIXELS_AT_ONCE = 64 * 10**6
"""Pixels of decoded images, which bounds memory: of a window, and of a window and the next one
where that is decoded meanwhile."""

Row = dict[str, Any]


def windows(rows: list[Row], at_once: int, frames: int) -> Iterator[list[Row]]:
    """Split rows into windows within both limits (frames, `PIXELS_AT_ONCE`), one row at least.

    Parameters
    ----------
    rows : list of dict
        Images, with width, height and number of frames.
    at_once : int
        Most frames of a window.
    frames : int
        Most frames of an animation that are read.

    Yields
    ------
    list of dict
        Neighboring rows.
    """
    window: list[Row] = []
    pixels = count = 0
    for row in rows:
        seen = frames_seen(row, frames)
        own = pixels_seen(row, frames)
        if window and (count + seen > at_once or pixels + own > PIXELS_AT_ONCE):
            yield window
            window, pixels, count = [], 0, 0
        window.append(row)
        pixels, count = pixels + own, count + seen
    if window:
        yield window


def frames_seen(row: Row, frames: int) -> int:
    """Return how many frames of an image are read; boxes are found in each.

    Parameters
    ----------
    row : dict
        An image's width, height and number of frames.
    frames : int
        Most frames of an animation that are read.

    Returns
    -------
    int
        1 or more.
    """
    bound = max(1, PIXELS_AT_ONCE // (row["width"] * row["height"]))
    return min(row["frames"], frames, bound)


def pixels_seen(row: Row, frames: int) -> int:
    """Return how many pixels of an image are read, in all its frames.

    Parameters
    ----------
    row : dict
        An image's width, height and number of frames.
    frames : int
        Most frames of an animation that are read.

    Returns
    -------
    int
        1 or more.
    """
    pixels: int = row["width"] * row["height"]
    return frames_seen(row, frames) * pixels
