"""Cases near a threshold: examples of both sides, and what another threshold would change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from webemo_curate.report.examples import Album, Details, Example
from webemo_curate.report.histogram import Histogram

MAX_SHOWN = 2
"""Each of two sides shows one part in so many of the examples that a reason has."""


@dataclass(frozen=True)
class Move:
    """What another setting would do.

    Attributes
    ----------
    setting
        Such as `at 0.65`.
    command
        What sets it, as it is typed.
    dropped
        Images that would leave then.
    change
        How many more than now; below 0 fewer.
    """

    setting: str
    command: str
    dropped: int
    change: int

    @property
    def says(self) -> str:
        """The change in words."""
        if not self.change:
            return "no change"
        return f"{abs(self.change):,} {'more' if self.change > 0 else 'fewer'} dropped"


@dataclass(frozen=True)
class Side:
    """Cases on one side of a threshold, the nearest first."""

    title: str
    examples: list[Example]


def nearest_side(
    album: Album,
    details: Details,
    title: str,
    hashes: pa.ChunkedArray,
    gaps: NDArray[np.floating[Any]],
    count: int,
) -> Side:
    """Show the images of one side that are nearest to a threshold.

    Parameters
    ----------
    album : Album
        Shows pictures of the workspace.
    details : Details
        What is said of them.
    title : str
        The side's.
    hashes : ChunkedArray of str
        SHA-256 of all images of both sides.
    gaps : ndarray of float, shape (images,)
        Their distances from the threshold, of either sign; NaN where an image is of the other side.
    count : int
        Most images shown.

    Returns
    -------
    Side
        The nearest first.
    """
    rows = np.flatnonzero(~np.isnan(gaps))
    nearest = rows[np.argsort(np.abs(gaps[rows]), kind="stable")[:count]]
    shown = hashes.take(pa.array(nearest)).to_pylist()
    return Side(title, list(details.examples(album, shown).values()))


@dataclass(frozen=True)
class Borderline:
    """What a step of the funnel decides narrowly.

    Attributes
    ----------
    stage
        The step's name.
    rule
        What the threshold is, in a sentence.
    histograms
        Of its scores.
    now
        Images that leave now, of those that its moves count.
    moves
        Other settings.
    sides
        What left narrowly, and what stayed narrowly.
    """

    stage: str
    rule: str
    histograms: list[Histogram]
    now: int
    moves: list[Move]
    sides: list[Side] = field(default_factory=list)


def moved(now: int, counts: Mapping[tuple[str, str], int]) -> list[Move]:
    """Return what other settings would do.

    Parameters
    ----------
    now : int
        Images that leave now.
    counts : mapping of (str, str) to int
        Setting and command -> images that would leave.

    Returns
    -------
    list of Move
        In their order.
    """
    return [Move(*names, dropped, dropped - now) for names, dropped in counts.items()]
