"""Compute a classifier's metrics from stored probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from webemo_curate.intervals import wilson_interval
from webemo_curate.verdicts import BINARY, DEFAULT_CLASSES

CALIBRATION_BINS = 15
"""Number of bins of the calibration error, as in Guo et al. 2017, section 2."""

THRESHOLD = 0.5
"""Probability from which an image counts as positive unless another threshold was chosen."""


@dataclass(frozen=True)
class ClassMetrics:
    """Precision, recall, F1 and support of one class."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class RankedClassMetrics(ClassMetrics):
    """The figures of one of several classes, with its area under the ROC curve against the rest.

    The area is None if the class or the rest has no image.
    """

    auc: float | None


@dataclass(frozen=True)
class Metrics:
    """The metrics of one set of predictions.

    Attributes
    ----------
    images
        Number of images.
    threshold
        Probability from which an image counts as positive; None for more than two classes.
    accuracy, accuracy_low, accuracy_high
        Share of correct answers with its 95 % Wilson interval.
    majority
        Share of the largest class, which a constant answer would reach.
    auc
        Area under the ROC curve; for more than two classes the mean of each one's against the rest,
        over the classes that have images. None if only one class has images.
    ece
        Expected calibration error over 15 equal bins of confidence.
    brier
        Mean squared error of the probability; for more than two classes summed over the classes
        (Brier 1950), which for two would be twice as much.
    per_class
        Figures of each class, by name.
    """

    images: int
    threshold: float | None
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    majority: float
    auc: float | None
    ece: float
    brier: float
    per_class: Mapping[str, ClassMetrics]


@dataclass(frozen=True)
class SeveralClassMetrics(Metrics):
    """The metrics for more than two classes.

    Attributes
    ----------
    confusion
        Number of images, by target and then by answer.
    """

    confusion: list[list[int]]


def measure(
    target: NDArray[np.int64],
    probability: NDArray[np.float64],
    threshold: float = THRESHOLD,
    classes: Sequence[str] = DEFAULT_CLASSES,
) -> Metrics:
    """Compute all metrics.

    Parameters
    ----------
    target : ndarray of int, shape (images,)
        Class numbers; at least one image.
    probability : ndarray of float
        For two classes the second's, shape (images,); else each class's, shape (images, classes).
    threshold : float, default 0.5
        Probability from which an image counts as the second of two classes.
    classes : sequence of str
        Class names, in the order of the targets.

    Returns
    -------
    Metrics
        The figures; for more than two classes `SeveralClassMetrics`.
    """
    answer = answers(probability, threshold)
    right = int((answer == target).sum())
    low, high = wilson_interval(right, len(target))
    figures: dict[str, Any] = {
        "images": len(target),
        "accuracy": right / len(target),
        "accuracy_low": low,
        "accuracy_high": high,
        "auc": area_under_roc(target, probability),
        "ece": expected_calibration_error(target, probability),
    }
    per_class = _per_class(target, answer, classes)
    if probability.ndim > 1:
        return _of_several(target, probability, answer, per_class, figures)
    return Metrics(
        **figures,
        threshold=threshold,
        majority=float(max(target.mean(), 1 - target.mean())),
        brier=float(np.mean((probability - target) ** 2)),
        per_class=per_class,
    )


def _of_several(
    target: NDArray[np.int64],
    probability: NDArray[np.float64],
    answer: NDArray[np.int64],
    per_class: Mapping[str, ClassMetrics],
    figures: dict[str, Any],
) -> SeveralClassMetrics:
    areas = areas_against_rest(target, probability)
    truth = np.eye(len(areas))[target]
    return SeveralClassMetrics(
        **figures,
        threshold=None,
        majority=float(np.bincount(target).max() / len(target)),
        brier=float(np.mean(((probability - truth) ** 2).sum(axis=1))),
        per_class={
            name: RankedClassMetrics(**asdict(own), auc=area)
            for (name, own), area in zip(per_class.items(), areas, strict=True)
        },
        confusion=confusion_matrix(target, answer, len(areas)),
    )


def answers(probability: NDArray[np.float64], threshold: float = THRESHOLD) -> NDArray[np.int64]:
    """Return each image's class: the second of two from the threshold on, else the likeliest.

    Parameters
    ----------
    probability : ndarray of float64
        For two classes the second's, shape (images,); else each class's, shape (images, classes).
    threshold : float, default 0.5
        For two classes.

    Returns
    -------
    ndarray of int64, shape (images,)
        Class numbers.
    """
    if probability.ndim > 1:
        likeliest: NDArray[np.int64] = probability.argmax(axis=1)
        return likeliest
    return (probability >= threshold).astype(np.int64)


def confusion_matrix(
    target: NDArray[np.int64], answer: NDArray[np.int64], classes: int
) -> list[list[int]]:
    """Count images by target, then by answer."""
    cells = np.bincount(target * classes + answer, minlength=classes * classes)
    counts: list[list[int]] = cells.reshape(classes, classes).tolist()
    return counts


def area_under_roc(target: NDArray[np.int64], probability: NDArray[np.float64]) -> float | None:
    """Return the area; for more than two classes the mean of each against the rest (`Metrics`)."""
    if probability.ndim > 1:
        areas = [area for area in areas_against_rest(target, probability) if area is not None]
        return float(np.mean(areas)) if areas else None
    both = len(np.unique(target)) == BINARY
    return float(roc_auc_score(target, probability)) if both else None


def areas_against_rest(
    target: NDArray[np.int64], probability: NDArray[np.float64]
) -> list[float | None]:
    """Return for each class the area under the ROC curve against all others."""
    return [
        area_under_roc((target == number).astype(np.int64), probability[:, number])
        for number in range(probability.shape[1])
    ]


def expected_calibration_error(
    target: NDArray[np.int64], probability: NDArray[np.float64]
) -> float:
    """Return the mean gap of confidence and accuracy over equal bins (Guo et al. 2017, eq. 3)."""
    answer = answers(probability)
    if probability.ndim > 1:
        confidence = probability.max(axis=1)
    else:
        confidence = np.where(answer, probability, 1 - probability)
    right = answer == target
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, confidence - right, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(target))


def best_threshold(target: NDArray[np.int64], probability: NDArray[np.float64]) -> float:
    """Return the threshold with the highest accuracy; of several, the one nearest 0.5.

    Candidates run from 'all positive' to 'all negative', just above the largest probability.
    """
    none = np.nextafter(probability.max(initial=0.0), np.inf)
    candidates = np.unique(np.append(probability, [0.5, none]))
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
        target, answer, labels=[*range(len(classes))], zero_division=0
    )
    return {
        name: ClassMetrics(float(p), float(r), float(f), int(s))
        for name, p, r, f, s in zip(classes, precision, recall, f1, support, strict=True)
    }
