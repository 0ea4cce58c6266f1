"""Paired tests of two classifiers on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import binomtest, rankdata, t

Right = NDArray[np.bool_]
Scores = NDArray[np.float64]

LEVEL = 0.05


POWER = 0.8
"""Power with which a comparison finds a difference that counts as detectable."""

MIN_SEEDS = 3
"""With fewer runs of a network, their spread is too uncertain for a verdict."""


@dataclass(frozen=True)
class MeasuredDifference:
    """A difference between two classifiers, second minus first.

    Attributes
    ----------
    value
        The difference itself.
    low, high
        Bounds of the 95 % interval.
    p
        Two-sided p-value; None if no verdict is possible, as with too few runs.
    detectable
        Smallest difference that such a comparison finds with a power of 80 %.
    """

    value: float
    low: float
    high: float
    p: float | None
    detectable: float

    @classmethod
    def of(cls, value: float, error: float, freedom: float, *, decided: bool = True) -> Self:
        """Apply Student's t: `error` is the standard error, `freedom` its degrees of freedom."""
        reach = float(t.ppf(1 - LEVEL / 2, freedom))
        p = float(2 * t.sf(abs(value) / error, freedom)) if decided else None
        detectable = (reach + float(t.ppf(POWER, freedom))) * error
        return cls(value, value - reach * error, value + reach * error, p, detectable)


def mcnemar(first: Right, second: Right) -> float:
    """Test whether two classifiers err equally often on the same images.

    Parameters
    ----------
    first, second : ndarray of bool, shape (images,)
        Whether each answer is correct.

    Returns
    -------
    float
        Two-sided p-value of the exact test (McNemar, Psychometrika 12, 1947). Under the null
        hypothesis, either classifier is equally likely to be the correct one on images where only
        one is correct.
    """
    gained = int((second & ~first).sum())
    lost = int((first & ~second).sum())
    if not gained + lost:
        return 1.0
    return float(binomtest(gained, gained + lost).pvalue)


def delong(target: NDArray[np.int64], first: Scores, second: Scores) -> MeasuredDifference | None:
    """Compare the areas under two ROC curves on the same images.

    Parameters
    ----------
    target : ndarray of int64, shape (images,)
        1 for positive, 0 for others.
    first, second : ndarray of float64, shape (images,)
        Scores for the positive class.

    Returns
    -------
    MeasuredDifference or None
        Difference of the areas (DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988), computed
        by midranks (Sun and Xu, IEEE Signal Processing Letters 21, 2014). None where this is
        undefined: with fewer than two images of a class, a score that is not a number, or curves
        that differ although no image's placement varies.
    """
    positives = int((target == 1).sum())
    if min(positives, len(target) - positives) < 2 or np.isnan([*first, *second]).any():
        return None
    components = [_placements(target, scores) for scores in (first, second)]
    positive, other = (np.stack(parts) for parts in zip(*components, strict=True))
    areas = positive.mean(axis=1)
    covariance = np.cov(positive) / positive.shape[1] + np.cov(other) / other.shape[1]
    contrast = np.array([-1.0, 1.0])
    value = float(contrast @ areas)
    deviation = float(np.sqrt(max(0.0, contrast @ covariance @ contrast)))
    if not deviation:
        return None if value else MeasuredDifference(value, value, value, 1.0, 0.0)
    return MeasuredDifference.of(value, deviation, np.inf)


def _placements(target: NDArray[np.int64], scores: Scores) -> tuple[Scores, Scores]:
    """Return each positive's share of negatives below it, each negative's of positives above."""
    positive, other = scores[target == 1], scores[target == 0]
    whole = rankdata(np.concatenate([positive, other]))
    above = (whole[: len(positive)] - rankdata(positive)) / len(other)
    below = 1 - (whole[len(positive) :] - rankdata(other)) / len(positive)
    return above, below


def compare_runs(first: Right, second: Right) -> MeasuredDifference:
    """Compare two networks' accuracies over several runs on the same images.

    Runs and images are both random samples, and every run sees every image. The variance of the
    mean is that of a crossed design with two random factors, with components from the mean squares
    of runs, images and both (Dorfman, Berbaum and Metz, Investigative Radiology 27, 1992). The
    critical value is Cochran's; see `_freedom`. `benchmarks/verdict_levels.py` measures how often
    the test errs.

    Parameters
    ----------
    first, second : ndarray of bool, shape (runs, images)
        Whether each run's answers are correct; rows of equal index have the same seed.

    Returns
    -------
    MeasuredDifference
        Difference of the mean accuracies. With fewer than three runs `p` is None: no verdict. The
        interval of a single run covers the images alone.
    """
    gain = second.astype(np.float64) - first
    variance, freedom = _crossed_variance(gain)
    # Add two images, one with half a gain and one with half a loss: answers that agree on all
    # images of a small set do not prove that they always agree (Agresti and Min, Statistics in
    # Medicine 24, 2005).
    error = float(np.sqrt(variance + 1 / (gain.shape[1] + 2) ** 2))
    decided = len(gain) >= MIN_SEEDS
    return MeasuredDifference.of(float(gain.mean()), error, freedom, decided=decided)


def _crossed_variance(gain: NDArray[np.float64]) -> tuple[float, float]:
    """Return the variance of the mean of a table of runs by images, and its degrees of freedom."""
    runs, images = gain.shape
    if images == 1:
        return float(gain.var()), 1.0
    of_image, of_run = gain.mean(axis=0), gain.mean(axis=1)
    by_image = runs * float(of_image.var(ddof=1))
    if runs == 1:
        return by_image / images, float(images - 1)
    by_run = images * float(of_run.var(ddof=1))
    rest = gain - of_image - of_run[:, None] + gain.mean()
    by_both = float((rest**2).sum()) / ((runs - 1) * (images - 1))
    shared = max(by_image - by_both, 0.0)
    return (by_run + shared) / gain.size, _freedom(by_run, shared, gain.shape)


def _freedom(by_run: float, shared: float, shape: tuple[int, ...]) -> float:
    """Return the degrees of freedom whose critical value is Cochran's.

    Cochran's value is the mean of those of runs and of images, weighted by their shares of the
    variance (Cochran and Cox, "Experimental Designs", 1957, section 4.14). Satterthwaite's degrees
    of freedom, usual for this design (Hillis, Statistics in Medicine 26, 2007), call 8 % of equal
    networks different when three runs spread by three points.
    """
    few, many = (float(count - 1) for count in sorted(shape))
    of_runs, of_images = (t.ppf(1 - LEVEL / 2, count - 1) for count in shape)
    share = by_run / (by_run + shared) if by_run else 0.0
    wanted = share * of_runs + (1 - share) * of_images
    if few == many:
        return few
    return float(brentq(lambda freedom: t.ppf(1 - LEVEL / 2, freedom) - wanted, few, many))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p-values for multiple comparisons (Holm, Scandinavian J. of Statistics 6, 1979).

    Parameters
    ----------
    p_values : sequence of float or None
        The p-values of one family of comparisons. None, for no verdict, stays None and does not
        count as a comparison.

    Returns
    -------
    list of float or None
        In the same order; a value below the significance level is significant.
    """
    known = {place: p for place, p in enumerate(p_values) if p is not None}
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(known, key=known.__getitem__)):
        largest = max(largest, min(1.0, (len(known) - rank) * known[place]))
        adjusted[place] = largest
    return adjusted
