"""The results of an experiment, and the role of each of its networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from webemo_curate.config import ExperimentConfig, TrainConfig
from webemo_curate.errors import InputError
from webemo_curate.experiments.comparison import Comparison, Families
from webemo_curate.experiments.published_figures import AREAS, Report, report_on_test
from webemo_curate.verdicts import DEFAULT_CLASSES, Split, is_split


@dataclass(frozen=True)
class Figure:
    """A figure of mean ROC curves over all seeds: its networks and sets."""

    file: str
    title: str
    networks: tuple[str, ...]
    sets: tuple[str, ...]

    @property
    def caption(self) -> str:
        """What the figure shows."""
        return (
            f"{self.title}. {' and '.join(self.networks)}: mean ROC curve over seeds with a band "
            "of one standard deviation; AUC as mean and standard deviation."
        )


@dataclass(frozen=True)
class ExperimentResult:
    """The results of an experiment.

    Attributes
    ----------
    name
        Name of the experiment.
    folder
        Folder with `results.md`, `metrics.parquet` and the ROC curves as SVG.
    config
        The experiment's configuration.
    classes
        Names of targets 0 and 1.
    metrics
        One row for each network, seed and set.
    families
        The comparisons made.
    comparisons
        Their results on every set except validation.
    chosen
        The proposed network: among the candidates (those with Gram modules, or else all but the
        baseline), the one with the highest mean accuracy on validation.
    """

    name: str
    folder: Path
    config: ExperimentConfig
    classes: tuple[str, ...]
    metrics: pd.DataFrame
    families: Families
    comparisons: list[Comparison]
    chosen: str

    @property
    def baseline(self) -> str:
        """The network that the others are compared with."""
        return self.config.baseline

    @property
    def candidates(self) -> list[str]:
        """The networks among which the proposed one was chosen."""
        return self.families.candidates or [self.baseline]

    @property
    def sets(self) -> list[str]:
        """All sets evaluated on."""
        return [str(on) for on in self.metrics["on"].unique()]

    @property
    def external(self) -> list[str]:
        """The sets that are not splits of the workspace."""
        return [on for on in self.sets if not is_split(on)]

    @property
    def figures(self) -> list[Figure]:
        """ROC curves to draw: the paper's figures 5 to 7, and the test split's."""
        external = tuple(self.external)
        drawn = [Figure("figure-6.svg", "Figure 6: baseline", (self.baseline,), external)]
        for name in dict.fromkeys((self.chosen, *self.config.figures)):
            proposed = name == self.chosen
            end, what = ("", "proposed network") if proposed else (f"-{name}", f"network {name}")
            both = tuple(dict.fromkeys((self.baseline, name)))
            title = f"Figure 7: baseline and {what}. The paper: {AREAS}"
            drawn += [
                Figure(f"figure-5{end}.svg", f"Figure 5: {what}", (name,), external),
                Figure(f"figure-7{end}.svg", title, both, external),
                Figure(f"roc-test{end}.svg", "Both on the test split", both, (Split.TEST.value,)),
            ]
        return sorted(drawn, key=lambda figure: figure.file)

    @property
    def is_of_paper(self) -> bool:
        """Whether the classes are the paper's, so that its figures can be compared."""
        return self.classes == DEFAULT_CLASSES

    def published(self, config: TrainConfig) -> Report | None:
        """Return the paper's figures on its test split for such a network, if there are any."""
        return report_on_test(config) if self.is_of_paper else None

    def rows(self, network: str, on: str) -> pd.DataFrame:
        """Return the rows of a network on a set, one for each seed."""
        table = self.metrics
        return table[(table["network"] == network) & (table["on"] == on)]


def best_on_validation(metrics: pd.DataFrame, candidates: Sequence[str]) -> str:
    """Return the network with the highest mean accuracy on validation.

    Parameters
    ----------
    metrics : pandas.DataFrame
        See `ExperimentResult.metrics`.
    candidates : sequence of str
        The networks to choose from, at least one.

    Returns
    -------
    str
        Its name; test figures never decide.

    Raises
    ------
    InputError
        If nothing was evaluated on validation.
    """
    validation = metrics[metrics["on"] == Split.VALIDATION]
    if validation.empty:
        raise InputError("an experiment chooses by validation images, and there are none")
    means = validation.groupby("network", sort=False)["accuracy"].mean()
    return str(means[list(candidates)].idxmax())
