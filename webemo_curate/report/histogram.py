"""Histograms of scores with the threshold drawn in, as coordinates for the page's template."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 640, 200
"""Of the bars' area, in the units of the drawing."""

BINS: Final = 40
TICKS: Final = 5

Edges = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Bar:
    """One bin: what passed below, what left on top of it.

    Attributes
    ----------
    x, width
        Place and width in the drawing.
    passed, left
        Heights in the drawing.
    says
        The bin and its counts in words.
    """

    x: float
    width: float
    passed: float
    left: float
    says: str


@dataclass(frozen=True)
class Axis:
    """What a histogram shows.

    Attributes
    ----------
    score
        What is measured, with its unit.
    unit
        What is counted.
    passed, left
        What those that pass and those that leave are called.
    edges
        Of the bins, growing.
    """

    score: str
    unit: str
    passed: str
    left: str
    edges: Edges


@dataclass(frozen=True)
class Histogram:
    """Scores of what passed and what left, with the threshold between.

    Attributes
    ----------
    axis
        What is shown.
    bars
        One a bin.
    threshold
        Its place in the drawing.
    at
        The threshold in words.
    ticks
        Places on the axis and what stands there.
    most
        Count of the highest bar.
    """

    axis: Axis
    bars: list[Bar]
    threshold: float
    at: str
    ticks: list[tuple[float, str]]
    most: int


def histogram(
    values: NDArray[Any], leaves: NDArray[np.bool_], axis: Axis, threshold: float, at: str
) -> Histogram | None:
    """Count scores by bins.

    Parameters
    ----------
    values : ndarray of float, shape (rows,)
        Scores; those beyond the edges count in the outermost bins.
    leaves : ndarray of bool, shape (rows,)
        Whether the row leaves.
    axis : Axis
        What they are.
    threshold : float
        Where it stands on the axis.
    at : str
        What the threshold is called.

    Returns
    -------
    Histogram or None
        Heights are square roots of counts: the few cases near a threshold are seen beside the many
        that are far from it. None without rows.
    """
    if not len(values):
        return None
    edges = axis.edges
    within = np.clip(values, edges[0], edges[-1])
    counts = [np.histogram(within[chosen], edges)[0] for chosen in (~leaves, leaves)]
    both = counts[0] + counts[1]
    most = int(both.max())
    tall = HEIGHT * np.sqrt(both / most)
    left = np.divide(tall * counts[1], both, out=np.zeros(len(both)), where=both > 0)
    place = (edges - edges[0]) * WIDTH / (edges[-1] - edges[0])
    bars = [
        Bar(
            *(float(place[bin_]), float(place[bin_ + 1] - place[bin_])),
            *(float(tall[bin_] - left[bin_]), float(left[bin_])),
            f"{edges[bin_]:.3g} to {edges[bin_ + 1]:.3g}: {counts[0][bin_]:,} {axis.passed}, "
            f"{counts[1][bin_]:,} {axis.left}",
        )
        for bin_ in np.flatnonzero(both)
    ]
    drawn = float(np.interp(threshold, edges, place))
    return Histogram(axis, bars, drawn, at, _ticks(edges, place), most)


def _ticks(edges: Edges, place: NDArray[Any]) -> list[tuple[float, str]]:
    chosen = np.unique(np.linspace(0, len(edges) - 1, TICKS).astype(int))
    return [(float(place[tick]), f"{edges[tick]:.3g}") for tick in chosen]
