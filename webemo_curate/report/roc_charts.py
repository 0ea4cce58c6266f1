"""ROC curves of runs, as SVG."""

from collections.abc import Mapping, Sequence
from functools import partial

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from sklearn.metrics import auc, roc_curve

from webemo_curate.report.svg import FIRST, SECOND, SIZE, STYLE, plot, plot_row

PANEL = 3.8
"""Side of a panel, inches."""

CLASSES_BESIDE = 12
"""Lines of a legend that stand beside curves of usual height."""

RATES = np.linspace(0, 1, 501)
"""False positive rates at which ROC curves are averaged: finer than the images of a set."""

POINTS = 400
"""Of a drawn curve: no screen shows more, and a curve of a large set has thousands."""

Curve = NDArray[np.float64]

Scored = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Targets and probabilities of one run."""


def roc(target: NDArray[np.int64], probability: NDArray[np.float64]) -> str:
    """Draw the ROC curve of the positive class."""

    def draw(axes: Axes) -> None:
        false, true, _ = roc_curve(target, probability)
        axes.plot(*_thinned(false, true), color=FIRST, label=f"AUC {auc(false, true):.3f}")
        _finish_roc(axes)

    return plot(draw)


def roc_against_rest(
    target: NDArray[np.int64], probability: NDArray[np.float64], classes: Sequence[str]
) -> str:
    """Draw for each class the ROC curve that tells it from all others.

    Parameters
    ----------
    target : ndarray of int, shape (images,)
        Numbers of classes.
    probability : ndarray of float, shape (images, classes)
        Of each class.
    classes : sequence of str
        Their names. A class that no image has, or every image, has no curve.

    Returns
    -------
    str
        SVG; the legend gives the areas.
    """
    colors = mpl.colormaps["turbo"](np.linspace(0.05, 0.95, len(classes)))
    tall = SIZE[1] * max(1.0, len(classes) / CLASSES_BESIDE)

    def draw(axes: Axes) -> None:
        for number, name in enumerate(classes):
            ours = target == number
            if ours.any() and not ours.all():
                false, true, _ = roc_curve(ours, probability[:, number])
                label = f"{name}: AUC {auc(false, true):.3f}"
                axes.plot(*_thinned(false, true), color=colors[number], label=label)
        _finish_roc(axes)
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))

    return plot(draw, (SIZE[0] * 1.3, tall))


def mean_roc(panels: Mapping[str, Mapping[str, Sequence[Scored]]]) -> str:
    """Draw mean ROC curves over runs, a panel a set.

    Parameters
    ----------
    panels : mapping of str to mapping of str to sequence of (target, probability)
        By set and network: each run's targets, both classes among them, and probabilities. At most
        as many networks as there are colors, two.

    Returns
    -------
    str
        SVG: curves averaged at equal false positive rate (Fawcett, Pattern Recognition Letters 27,
        2006, section 8), with a band of one standard deviation; the legend gives the mean and
        standard deviation of the areas.
    """
    draws = [partial(_draw_mean_roc, title, curves) for title, curves in panels.items()]
    return plot_row(draws, (PANEL * len(draws), PANEL), STYLE)


def _draw_mean_roc(title: str, curves: Mapping[str, Sequence[Scored]], axes: Axes) -> None:
    for (name, runs), color in zip(curves.items(), (FIRST, SECOND), strict=False):
        points = [roc_curve(target, probability)[:2] for target, probability in runs]
        heights = np.stack([np.interp(RATES, false, true) for false, true in points])
        mean, deviation = heights.mean(axis=0), _deviation(heights)
        areas = np.array([auc(false, true) for false, true in points])
        label = f"{name}: AUC {areas.mean():.3f} \N{PLUS-MINUS SIGN} {_deviation(areas):.3f}"
        axes.plot([0, *RATES], [0, *mean], color=color, label=label)
        axes.fill_between(RATES, mean - deviation, mean + deviation, color=color, alpha=0.2, lw=0)
    axes.set_title(title)
    _finish_roc(axes)


def _deviation(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard deviation over runs, the first axis; 0 of one run."""
    one = len(values) == 1
    result: NDArray[np.float64] = values.std(axis=0, ddof=0 if one else 1)
    return result


def _thinned(false: Curve, true: Curve) -> tuple[Curve, Curve]:
    """Return at most `POINTS` points of a curve, its ends among them."""
    kept = np.unique(np.linspace(0, len(false) - 1, POINTS).astype(int))
    return false[kept], true[kept]


def _finish_roc(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], ":", color="#888888")
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    axes.legend(frameon=False, loc="lower right")
