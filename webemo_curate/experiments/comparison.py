"""Compare the networks of an experiment in pairs, with paired tests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from webemo_curate.config import ExperimentConfig, TrainConfig
from webemo_curate.evaluation.evaluate import Evaluation
from webemo_curate.evaluation.metrics import THRESHOLD
from webemo_curate.evaluation.predictions import read_predictions
from webemo_curate.evaluation.significance import (
    MeasuredDifference,
    compare_runs,
    delong,
    holm,
    mcnemar,
)
from webemo_curate.verdicts import BINARY, Split

Evaluations = Mapping[tuple[str, str], list[Evaluation]]
"""By network and set; one evaluation a seed, in the order of the seeds."""

Pair = tuple[str, str]
"""A network, and the network it is compared with."""


GRAM_SETTINGS = frozenset(
    {"grams", "tap", "gram_fusion", "head_fusion", "gram_activation", "normalise_gram"}
)
"""Fields of `TrainConfig` that set the number and kind of Gram modules."""


@dataclass(frozen=True)
class Answers:
    """One run's stored predictions, in the order of the set's images.

    Attributes
    ----------
    target
        1 for positive, 0 for others.
    probability
        Probability of the positive class.
    threshold
        The threshold chosen on validation.
    """

    target: NDArray[np.int64]
    probability: NDArray[np.float64]
    threshold: float

    @property
    def both_classes(self) -> bool:
        """Whether the set holds images of both classes, without which there is no ROC curve."""
        return len(np.unique(self.target)) == BINARY

    def right(self, threshold: float = THRESHOLD) -> NDArray[np.bool_]:
        """Return which images are classified correctly."""
        correct: NDArray[np.bool_] = (self.probability >= threshold) == (self.target == 1)
        return correct


@dataclass(frozen=True)
class Adjusted:
    """The p-values of a comparison, adjusted by Holm's method within its family."""

    accuracy: float | None
    tuned: float | None
    mcnemar: list[float | None]
    areas: list[float | None]


@dataclass(frozen=True)
class Comparison:
    """A network compared with another on one set.

    Attributes
    ----------
    network, against, on
        Names; differences are the first network's figure minus the second's.
    accuracy
        Difference of the accuracies at threshold 0.5, over images and seeds.
    tuned
        The same at the thresholds chosen on validation.
    mcnemar
        p-value for each seed, at threshold 0.5.
    areas
        DeLong's difference of the areas under the ROC curve for each seed; None where undefined.
    adjusted
        The adjusted p-values, which decide.
    """

    network: str
    against: str
    on: str
    accuracy: MeasuredDifference
    tuned: MeasuredDifference
    mcnemar: list[float]
    areas: list[MeasuredDifference | None]
    adjusted: Adjusted


@dataclass(frozen=True)
class Families:
    """The comparisons of an experiment; Holm's adjustment is made within each family.

    Attributes
    ----------
    grams
        Networks that differ from the baseline only in their Gram modules.
    others
        Other networks compared with the baseline.
    augmentation
        Networks compared with the same networks trained without augmentation.
    """

    grams: list[Pair]
    others: list[Pair]
    augmentation: list[Pair]

    @classmethod
    def of(cls, config: ExperimentConfig) -> "Families":
        """Sort an experiment's networks by the settings in which they differ."""
        networks, baseline = config.networks, config.baseline
        augmentation = [
            (one, other)
            for one, settings in networks.items()
            for other, plain in networks.items()
            if plain.augment == "none" and _differing(settings, plain) == {"augment"}
        ]
        plain_twins = {other for _, other in augmentation}
        grams: list[Pair] = []
        others: list[Pair] = []
        for name, settings in networks.items():
            if name == baseline or name in plain_twins:
                continue
            differs = _differing(settings, networks[baseline])
            (grams if differs <= GRAM_SETTINGS else others).append((name, baseline))
        return cls(grams, others, augmentation)

    @property
    def candidates(self) -> list[str]:
        """The networks that may be proposed instead of the baseline."""
        return [network for network, _ in self.grams or self.others]

    def __iter__(self) -> Iterator[list[Pair]]:
        return iter((self.grams, self.others, self.augmentation))


def read_answers(evaluation: Evaluation) -> Answers:
    """Read a run's stored predictions."""
    target, probability = read_predictions(evaluation.predictions)
    chosen = evaluation.tuned.threshold if evaluation.tuned else None
    return Answers(target.astype(np.int64), probability, THRESHOLD if chosen is None else chosen)


def compare(evaluations: Evaluations, families: Families) -> list[Comparison]:
    """Compare networks, set by set and family by family.

    Parameters
    ----------
    evaluations : mapping of (network, set) to list of Evaluation
        Runs at equal positions have the same seed.
    families : Families
        The pairs to compare.

    Returns
    -------
    list of Comparison
        For all sets but validation, on which networks are chosen.
    """
    sets = {on: None for _, on in evaluations if on != Split.VALIDATION}
    return [
        comparison
        for on in sets
        for family in families
        for comparison in _compare_family(evaluations, on, family)
    ]


def _compare_family(evaluations: Evaluations, on: str, family: Sequence[Pair]) -> list[Comparison]:
    tests = []
    for network, against in family:
        ours, theirs = (
            [read_answers(run) for run in evaluations[name, on]] for name in (network, against)
        )
        tests.append(_test(network, against, on, ours, theirs))
    return _adjust(tests)


def _test(
    network: str, against: str, on: str, ours: Sequence[Answers], theirs: Sequence[Answers]
) -> Comparison:
    """Test one pair; its p-values count as a family of one."""
    seeds = list(zip(theirs, ours, strict=True))
    areas = [delong(one.target, one.probability, other.probability) for one, other in seeds]
    accuracy = compare_runs(_right(theirs), _right(ours))
    tuned = compare_runs(_right(theirs, tuned=True), _right(ours, tuned=True))
    errors = [mcnemar(one.right(), other.right()) for one, other in seeds]
    area_p = [area.p if area else None for area in areas]
    alone = Adjusted(accuracy.p, tuned.p, [*errors], area_p)
    return Comparison(network, against, on, accuracy, tuned, errors, areas, alone)


def _adjust(tests: Sequence[Comparison]) -> list[Comparison]:
    """Adjust each kind of p-value within the family; those of one seed among each other."""
    accuracy = holm([test.adjusted.accuracy for test in tests])
    tuned = holm([test.adjusted.tuned for test in tests])
    errors = _holm_by_seed([test.adjusted.mcnemar for test in tests])
    areas = _holm_by_seed([test.adjusted.areas for test in tests])
    adjusted = map(Adjusted, accuracy, tuned, errors, areas)
    return [replace(test, adjusted=values) for test, values in zip(tests, adjusted, strict=True)]


def _holm_by_seed(p_values: Sequence[Sequence[float | None]]) -> list[list[float | None]]:
    """Adjust p-values column by column; a row holds a network's, a column a seed's."""
    columns = [holm(column) for column in zip(*p_values, strict=True)]
    return [[column[row] for column in columns] for row in range(len(p_values))]


def _right(runs: Sequence[Answers], *, tuned: bool = False) -> NDArray[np.bool_]:
    return np.stack([run.right(run.threshold if tuned else THRESHOLD) for run in runs])


def _differing(one: TrainConfig, other: TrainConfig) -> set[str]:
    """Return the settings in which two networks differ, among those that can change a result."""
    first, second = one.fingerprint(), other.fingerprint()
    return {name for name, value in first.items() if value != second[name]}
