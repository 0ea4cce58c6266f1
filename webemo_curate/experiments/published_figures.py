"""The paper's own figures, for comparison with measured ones.

Motiejauskas and Dzemyda (2024), doi:10.15837/ijccc.2024.5.6697. Tables 4, 5 and 6 are given here as
printed; accuracies are not printed, but follow from recalls and supports. Not given are the
accuracies and standard deviations of table 3, with Zhang et al.'s, and the areas under the curves
of figures 5 to 7: the copy at hand shows them as pictures, and the text does not repeat them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from webemo_curate.config import TrainConfig
from webemo_curate.evaluation.metrics import ClassMetrics
from webemo_curate.verdicts import DEFAULT_CLASSES

SOURCE = "doi:10.15837/ijccc.2024.5.6697"

DEVIATIONS = "smallest at k = 4, about equal at k = 0 and 3, larger at k = 5"
"""The text's statement about the standard deviations in table 3."""

AREAS = "the baseline's slightly larger on UnbiasedEmo, the proposed network's on Emotion-6"
"""The text's statement about the areas in figure 7."""

AUGMENTATION_GAIN = (3, 4)
"""Gain of RandAugment in points of accuracy, with and without Gram modules (section 5)."""

ACCURACY_GAIN = 0.4
"""Approximate gain of the proposed network over the baseline in points of accuracy (section 5)."""

PROPOSED_GRAMS = 4
"""Number of Gram modules of the network in tables 5 and 6."""

TEST_SUPPORTS = (3284, 2823)


@dataclass(frozen=True)
class Report:
    """Figures by class as printed in a table of the paper; means of five runs."""

    per_class: Mapping[str, ClassMetrics]

    @property
    def supports(self) -> tuple[int, ...]:
        """Number of images of each class."""
        return tuple(figures.support for figures in self.per_class.values())

    @property
    def accuracy(self) -> float:
        """Share of correct answers: the recalls, weighted by the supports."""
        right = sum(figures.recall * figures.support for figures in self.per_class.values())
        return right / sum(self.supports)


@dataclass(frozen=True)
class ExternalSet:
    """A test set by other authors, with the paper's results on it.

    Attributes
    ----------
    name
        Name as the paper writes it.
    table
        Number of the table in the paper.
    report
        Figures of the network with four Gram modules.
    """

    name: str
    table: int
    report: Report


Scores = tuple[float, float, float]
"""Precision, recall, F1."""


def _report(others: Scores, sadness: Scores, supports: tuple[int, int] = TEST_SUPPORTS) -> Report:
    rows = zip(DEFAULT_CLASSES, (others, sadness), supports, strict=True)
    return Report({name: ClassMetrics(*scores, support) for name, scores, support in rows})


TEST: Mapping[int, Report] = {
    0: _report((0.8374, 0.8088, 0.8229), (0.7862, 0.8174, 0.8015)),
    2: _report((0.8257, 0.8368, 0.8312), (0.8071, 0.7946, 0.8008)),
    3: _report((0.8253, 0.8392, 0.8322), (0.8092, 0.7932, 0.8011)),
    4: _report((0.8252, 0.8427, 0.8339), (0.8125, 0.7924, 0.8022)),
    5: _report((0.8242, 0.8414, 0.8327), (0.8109, 0.7911, 0.8009)),
}
"""Table 4, on WEBEmo's test split, by the number of Gram modules."""

EXTERNAL: Mapping[str, ExternalSet] = {
    "unbiasedemo": ExternalSet(
        "UnbiasedEmo",
        5,
        _report((0.8607, 0.8025, 0.8307), (0.7603, 0.8283, 0.7928), (467, 353)),
    ),
    "emotion6": ExternalSet(
        "Emotion-6",
        6,
        _report((0.8365, 0.7198, 0.7737), (0.5907, 0.7417, 0.6576), (888, 484)),
    ),
}
"""Tables 5 and 6, by the set's name without case and punctuation."""

UNSHARED = "-unshared"
"""Suffix of a set's name from which pictures seen in training were left out."""


def external_set(name: str) -> ExternalSet | None:
    """Return the paper's figures on an external set.

    Parameters
    ----------
    name : str
        Name of a folder or manifest: `UnbiasedEmo`, `unbiased_emo`, `Emotion-6`, `emotion6`, ...

    Returns
    -------
    ExternalSet or None
        None if the paper reports on no set of that name.
    """
    plain = name.lower().removesuffix(UNSHARED)
    return EXTERNAL.get(re.sub(r"[^a-z0-9]", "", plain))


def report_on_test(config: TrainConfig) -> Report | None:
    """Return the paper's figures on its test split for a network with these settings.

    Parameters
    ----------
    config : TrainConfig
        All settings that can change a result count, except the seed and the weights file, which
        cannot be compared with the paper's.

    Returns
    -------
    Report or None
        None for settings other than the paper's, or a number of Gram modules that it does not
        report.
    """
    return None if why_not_published(config) else TEST[config.grams]


def why_not_published(config: TrainConfig) -> str | None:
    """Say why table 4 has no figure for a network; return None if it has one."""
    if config.preset != TrainConfig().preset:
        return f"the copy of the paper at hand has no figures of preset {config.preset}"
    if other := departures(config):
        return f"its {', '.join(other)} {'is' if len(other) == 1 else 'are'} not the paper's"
    return None if config.grams in TEST else f"the paper does not report on k = {config.grams}"


NOT_A_DEPARTURE = frozenset({"grams", "seed", "weights", "preset"})
"""Settings that the paper varies, had to choose, or does not state."""


def departures(config: TrainConfig) -> dict[str, object]:
    """Return the settings in which a network differs from its preset.

    Parameters
    ----------
    config : TrainConfig
        The network.

    Returns
    -------
    dict of str to object
        Field and value, among the settings that can change a result.
    """
    preset = TrainConfig.model_validate({"preset": config.preset}).fingerprint()
    return {
        name: value
        for name, value in config.fingerprint().items()
        if name not in NOT_A_DEPARTURE and value != preset[name]
    }
