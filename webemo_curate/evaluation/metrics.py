"""Metrics of a binary classifier, computed from stored probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from webemo_curate.verdicts import DEFAULT_CLASSES

Z_95 = 1.959963984540054
"""The normal distribution's 97.5 % quantile."""

CALIBRATION_BINS = 15
"""Guo et al. 2017, section 2."""


@dataclass(frozen=True)
class ClassMetrics:
    """Precision, recall, F1 and support of one class."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Metrics:
    """What one set of predictions comes to.

    Attributes
    ----------
    images
        Number of images.
    threshold
        Probability from which an image counts as positive.
    accuracy, accuracy_low, accuracy_high
        Share of right answers with its 95 % Wilson interval.
    majority
        Share of the larger class: what a constant answer reaches.
    auc
        Area under the ROC curve; None if one class alone is there.
    ece
        Expected calibration error over 15 equal bins of confidence.
    brier
        Mean squared error of the probability.
    per_class
        By class name.
    """

    images: int
    threshold: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    majority: float
    auc: float | None
    ece: float
    brier: float
    per_class: dict[str, ClassMetrics]


def measure(
    target: NDArray[np.int64],
    probability: NDArray[np.float64],
    threshold: float = 0.5,
    classes: Sequence[str] = DEFAULT_CLASSES,
) -> Metrics:
    """Compute all metrics.

    Parameters
    ----------
    target : ndarray of int, shape (images,)
        1 positive, 0 others; at least one image.
    probability : ndarray of float, shape (images,)
        Of the positive class.
    threshold : float, default 0.5
        From which an image counts as positive.
    classes : sequence of str
        Names of targets 0 and 1.

    Returns
    -------
    Metrics
        The figures.
    """
    answer = (probability >= threshold).astype(int)
    right = int((answer == target).sum())
    low, high = wilson_interval(right, len(target))
    both = len(np.unique(target)) == len(classes)
    return Metrics(
        images=len(target),
        threshold=threshold,
        accuracy=right / len(target),
        accuracy_low=low,
        accuracy_high=high,
        majority=float(max(target.mean(), 1 - target.mean())),
        auc=float(roc_auc_score(target, probability)) if both else None,
        ece=expected_calibration_error(target, probability),
        brier=float(np.mean((probability - target) ** 2)),
        per_class=_per_class(target, answer, classes),
    )


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share (Wilson 1927)."""
    share, z2 = successes / trials, Z_95**2
    center = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    spread = share * (1 - share) / trials + z2 / (4 * trials**2)
    half = Z_95 * np.sqrt(spread) / (1 + z2 / trials)
    return float(center - half), float(center + half)


def expected_calibration_error(
    target: NDArray[np.int64], probability: NDArray[np.float64]
) -> float:
    """Return the mean gap of confidence and accuracy over equal bins (Guo et al. 2017, eq. 3)."""
    answer = probability >= 0.5
    confidence = np.where(answer, probability, 1 - probability)
    right = answer == target.astype(bool)
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, confidence - right, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(target))


def best_threshold(target: NDArray[np.int64], probability: NDArray[np.float64]) -> float:
    """Return the threshold of the highest accuracy; the one nearest 0.5 if several tie."""
    candidates = np.unique(np.append(probability, 0.5))
    order = np.argsort(probability)
    ranked, truth = probability[order], target[order]
    below = np.searchsorted(ranked, candidates, side="left")
    negatives = np.concatenate([[0], np.cumsum(truth == 0)])
    positives = np.concatenate([[0], np.cumsum(truth == 1)])
    right = negatives[below] + positives[-1] - positives[below]
    best = candidates[right == right.max()]
    return float(best[np.argmin(np.abs(best - 0.5))])


def _per_class(
    target: NDArray[np.int64], answer: NDArray[np.int64], classes: Sequence[str]
) -> dict[str, ClassMetrics]:
    precision, recall, f1, support = precision_recall_fscore_support(
        target, answer, labels=[0, 1], zero_division=0
    )
    return {
        name: ClassMetrics(float(p), float(r), float(f), int(s))
        for name, p, r, f, s in zip(classes, precision, recall, f1, support, strict=True)
    }
