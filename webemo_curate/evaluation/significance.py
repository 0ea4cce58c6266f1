"""Whether one classifier is better than another: paired tests on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm, rankdata

Right = NDArray[np.bool_]
Scores = NDArray[np.float64]

DRAWS = 4000
"""Bootstrap draws: the 2.5 % quantile then rests on a hundred of them."""

DRAWS_AT_ONCE = 250
LEVEL = 0.05


@dataclass(frozen=True)
class MeasuredDifference:
    """A difference between two classifiers, second minus first.

    Attributes
    ----------
    value
        The difference itself.
    low, high
        95 % interval.
    p
        Two-sided p-value.
    """

    value: float
    low: float
    high: float
    p: float


def mcnemar(first: Right, second: Right) -> float:
    """Test whether two classifiers err equally often on the same images.

    Parameters
    ----------
    first, second : ndarray of bool, shape (images,)
        Whether each answered rightly.

    Returns
    -------
    float
        Two-sided p-value of the exact test (McNemar, Psychometrika 12, 1947): the images on which
        one alone is right are as likely the one's as the other's.
    """
    gained = int((second & ~first).sum())
    lost = int((first & ~second).sum())
    if not gained + lost:
        return 1.0
    return float(binomtest(gained, gained + lost).pvalue)


def delong(target: NDArray[np.int64], first: Scores, second: Scores) -> MeasuredDifference:
    """Compare the areas under two ROC curves on the same images.

    Parameters
    ----------
    target : ndarray of int64, shape (images,)
        1 positive, 0 others; both must be there.
    first, second : ndarray of float64, shape (images,)
        Scores of the positive class.

    Returns
    -------
    MeasuredDifference
        Of the areas (DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988), computed by
        midranks (Sun and Xu, IEEE Signal Processing Letters 21, 2014).
    """
    components = [_placements(target, scores) for scores in (first, second)]
    positive, other = (np.stack(parts) for parts in zip(*components, strict=True))
    areas = positive.mean(axis=1)
    covariance = np.cov(positive) / positive.shape[1] + np.cov(other) / other.shape[1]
    contrast = np.array([-1.0, 1.0])
    value = float(contrast @ areas)
    deviation = float(np.sqrt(max(0.0, contrast @ covariance @ contrast)))
    if not deviation:
        return MeasuredDifference(value, value, value, 1.0 if not value else 0.0)
    reach = float(norm.ppf(1 - LEVEL / 2)) * deviation
    p = float(2 * norm.sf(abs(value) / deviation))
    return MeasuredDifference(value, value - reach, value + reach, p)


def _placements(target: NDArray[np.int64], scores: Scores) -> tuple[Scores, Scores]:
    """Return for each positive the share of others below it, for each other of positives above."""
    positive, other = scores[target == 1], scores[target == 0]
    whole = rankdata(np.concatenate([positive, other]))
    above = (whole[: len(positive)] - rankdata(positive)) / len(other)
    below = 1 - (whole[len(positive) :] - rankdata(other)) / len(positive)
    return above, below


def paired_bootstrap(first: Right, second: Right, seed: int = 0) -> MeasuredDifference:
    """Compare two networks' accuracies over several training seeds.

    Images and seeds are drawn again together for both networks, so what they share cancels out
    (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 16).

    Parameters
    ----------
    first, second : ndarray of bool, shape (seeds, images)
        Whether each run answered rightly; rows of equal index have the same seed.
    seed : int, default 0
        Of the draws.

    Returns
    -------
    MeasuredDifference
        Of the mean accuracies, with the percentile interval.
    """
    gain = second.astype(np.float64) - first
    seeds, images = gain.shape
    random = np.random.default_rng(seed)
    means = []
    for _ in range(DRAWS // DRAWS_AT_ONCE):
        rows = random.multinomial(seeds, np.full(seeds, 1 / seeds), DRAWS_AT_ONCE)
        columns = random.multinomial(images, np.full(images, 1 / images), DRAWS_AT_ONCE)
        means.append(((rows @ gain) * columns).sum(axis=1) / gain.size)
    drawn = np.concatenate(means)
    low, high = np.quantile(drawn, [LEVEL / 2, 1 - LEVEL / 2])
    # One draw more on either side: no finite number of draws shows a p-value of 0.
    sides = [(np.sum(drawn <= 0) + 1), (np.sum(drawn >= 0) + 1)]
    p = min(1.0, 2 * min(sides) / (len(drawn) + 1))
    return MeasuredDifference(float(gain.mean()), float(low), float(high), float(p))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for being several (Holm, Scandinavian Journal of Statistics 6, 1979).

    Parameters
    ----------
    p_values : sequence of float
        Of the comparisons of one family.

    Returns
    -------
    list of float
        In the same order; significant where still below the level.
    """
    order = np.argsort(p_values)
    count = len(p_values)
    adjusted = [0.0] * count
    largest = 0.0
    for place, index in enumerate(order.tolist()):
        largest = max(largest, min(1.0, (count - place) * p_values[index]))
        adjusted[index] = largest
    return adjusted
