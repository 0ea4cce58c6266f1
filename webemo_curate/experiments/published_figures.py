"""The paper's own figures, to stand beside those measured.

Motiejauskas and Dzemyda (2024), doi:10.15837/ijccc.2024.5.6697. Tables 4, 5 and 6 are given here
as printed; an accuracy is not, but follows from recalls and supports. Not given, because the copy
at hand shows them as pictures and the text does not repeat them: the accuracies and standard
deviations of table 3, with Zhang et al.'s, and the areas under the curves of figures 5 to 7.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from webemo_curate.config import TrainConfig
from webemo_curate.evaluation.metrics import ClassMetrics
from webemo_curate.verdicts import DEFAULT_CLASSES

SOURCE = "doi:10.15837/ijccc.2024.5.6697"

DEVIATIONS = "smallest at k = 4, about equal at k = 0 and 3, larger at k = 5"
"""What its text says of the standard deviations in table 3."""

AREAS = "the baseline's slightly larger on UnbiasedEmo, the proposed network's on Emotion-6"
"""What its text says of the areas in figure 7."""

AUGMENTATION_GAIN = (3, 4)
"""Points of accuracy that RandAugment is worth, with and without Gram modules (section 5)."""

ACCURACY_GAIN = 0.4
"""Points of accuracy, about, that the proposed network is better than the baseline (section 5)."""

PROPOSED_GRAMS = 4
"""Gram modules of the network of tables 5 and 6."""

TEST_SUPPORTS = (3284, 2823)


@dataclass(frozen=True)
class Report:
    """Figures by class, as a table of the paper prints them; means of five runs."""

    per_class: Mapping[str, ClassMetrics]

    @property
    def supports(self) -> tuple[int, ...]:
        """Images of each class."""
        return tuple(figures.support for figures in self.per_class.values())

    @property
    def accuracy(self) -> float:
        """Share of right answers: the recalls, weighted by the supports."""
        right = sum(figures.recall * figures.support for figures in self.per_class.values())
        return right / sum(self.supports)


@dataclass(frozen=True)
class ExternalSet:
    """A test set of other authors, and what the paper reports on it.

    Attributes
    ----------
    name
        As the paper writes it.
    table
        Number of the paper's table.
    report
        Of the network with four Gram modules.
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
"""Ends the name of a set from which pictures were left out that training has seen."""


def external_set(name: str) -> ExternalSet | None:
    """Return the paper's figures on an external set.

    Parameters
    ----------
    name : str
        A folder's or manifest's: `UnbiasedEmo`, `unbiased_emo`, `Emotion-6`, `emotion6`, ...

    Returns
    -------
    ExternalSet or None
        None if the paper reports on no set of that name.
    """
    plain = name.lower().removesuffix(UNSHARED)
    return EXTERNAL.get(re.sub(r"[^a-z0-9]", "", plain))


def report_on_test(config: TrainConfig) -> Report | None:
    """Return the paper's figures on its test split for a network such as this.

    Parameters
    ----------
    config : TrainConfig
        Everything that can change a result counts but the seed, and the file of weights, which
        cannot be told from the paper's.

    Returns
    -------
    Report or None
        None for settings other than the paper's, and for a number it does not study.
    """
    return None if why_not_published(config) else TEST[config.grams]


def why_not_published(config: TrainConfig) -> str | None:
    """Say why no figure of the paper's table 4 stands beside a network; None if one does."""
    if config.preset != TrainConfig().preset:
        return f"the copy of the paper at hand has no figures of preset {config.preset}"
    if other := departures(config):
        return f"its {', '.join(other)} {'is' if len(other) == 1 else 'are'} not the paper's"
    return None if config.grams in TEST else f"the paper does not report on k = {config.grams}"


NOT_A_DEPARTURE = frozenset({"grams", "seed", "weights", "preset"})
"""What the paper varies, what it had to choose, and what stands beside the departures."""


def departures(config: TrainConfig) -> dict[str, object]:
    """Return the settings in which a network differs from what its preset says.

    Parameters
    ----------
    config : TrainConfig
        The network.

    Returns
    -------
    dict of str to object
        Field and value, of those that can change a result.
    """
    preset = TrainConfig.model_validate({"preset": config.preset}).fingerprint()
    return {
        name: value
        for name, value in config.fingerprint().items()
        if name not in NOT_A_DEPARTURE and value != preset[name]
    }
