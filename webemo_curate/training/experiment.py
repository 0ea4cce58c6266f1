"""Several networks over several seeds, measured on the same images and compared."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from webemo_curate.atomic import write_bytes
from webemo_curate.config import ExperimentConfig
from webemo_curate.errors import InputError
from webemo_curate.report import charts
from webemo_curate.schemas import Split
from webemo_curate.training.api import Evaluation, evaluate, train
from webemo_curate.training.inference import THRESHOLD
from webemo_curate.training.results_page import Comparison, results_page
from webemo_curate.training.significance import (
    Difference,
    delong,
    holm,
    mcnemar,
    paired_bootstrap,
)
from webemo_curate.workspace import Workspace

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What an experiment came to.

    Attributes
    ----------
    folder
        Holds `results.md`, `metrics.parquet` and the ROC curves as SVG.
    metrics
        A row for each network, seed and set.
    comparisons
        Every network against the baseline on every set but validation.
    chosen
        The network of the highest mean accuracy on validation.
    """

    folder: Path
    metrics: pd.DataFrame
    comparisons: list[Comparison]
    chosen: str


def run_experiment(config: ExperimentConfig, name: str, workspace: Workspace) -> Outcome:
    """Train what is not trained yet, measure everything, and write tables and curves.

    Parameters
    ----------
    config : ExperimentConfig
        Networks, baseline, seeds and test sets.
    name : str
        Of the folder below `experiments/` in the workspace.
    workspace : Workspace
        Holds the splits; gets the runs.

    Returns
    -------
    Outcome
        Figures and their place.

    Raises
    ------
    CurateError
        If a network cannot be trained or a set cannot be read.
    """
    evaluations: dict[tuple[str, str], list[Evaluation]] = {}
    for network, settings in config.networks.items():
        logger.info("experiment: %s, %d seeds", network, settings.seeds)
        for run in train(settings, workspace):
            for on in (Split.VALIDATION, Split.TEST, *map(str, config.test_sets)):
                found = evaluate(
                    run.folder, on, workspace, settings.device, exclude_shared=on not in (*Split,)
                )
                evaluations.setdefault((network, found.on), []).append(found)
    metrics = pd.DataFrame(_metric_rows(evaluations))
    chosen = _best_on_validation(metrics)
    comparisons = compare(evaluations, config.baseline)
    folder = workspace.root / "experiments" / name
    folder.mkdir(parents=True, exist_ok=True)
    metrics.to_parquet(folder / "metrics.parquet", index=False)
    _draw_curves(evaluations, {config.baseline, chosen}, folder)
    text = results_page(name, metrics, comparisons, config.baseline, chosen)
    write_bytes(folder / "results.md", text.encode())
    return Outcome(folder, metrics, comparisons, chosen)


def compare(
    evaluations: dict[tuple[str, str], list[Evaluation]], baseline: str
) -> list[Comparison]:
    """Hold every network against the baseline, set by set.

    Parameters
    ----------
    evaluations : dict of (network, set) to list of Evaluation
        One a seed, in the order of the seeds.
    baseline : str
        The network the others are compared with.

    Returns
    -------
    list of Comparison
        Without the baseline and without validation, by which networks are chosen.
    """
    found = []
    for on in {on: None for _, on in evaluations if on != Split.VALIDATION}:
        others = [network for network, there in evaluations if there == on and network != baseline]
        first = [_read(one) for one in evaluations[baseline, on]]
        pairs = {
            network: (first, [_read(one) for one in evaluations[network, on]]) for network in others
        }
        tests = {
            network: paired_bootstrap(_right(ours), _right(theirs))
            for network, (ours, theirs) in pairs.items()
        }
        adjusted = holm([test.p for test in tests.values()])
        for (network, test), p in zip(tests.items(), adjusted, strict=True):
            found.append(Comparison(network, on, test, p, *_by_seed(*pairs[network])))
    return found


@dataclass(frozen=True)
class _Answers:
    """One run's stored answers: targets and probabilities in the order of the set's images."""

    target: NDArray[np.int64]
    probability: NDArray[np.float64]

    @property
    def right(self) -> NDArray[np.bool_]:
        correct: NDArray[np.bool_] = (self.probability >= THRESHOLD) == (self.target == 1)
        return correct


def _read(evaluation: Evaluation) -> _Answers:
    table = pq.read_table(evaluation.predictions, columns=["target", "probability"])
    return _Answers(table["target"].to_numpy().astype(np.int64), table["probability"].to_numpy())


def _right(runs: Sequence[_Answers]) -> NDArray[np.bool_]:
    return np.stack([run.right for run in runs])


def _by_seed(
    first: Sequence[_Answers], second: Sequence[_Answers]
) -> tuple[list[float], list[Difference]]:
    pairs = list(zip(first, second, strict=True))
    errors = [mcnemar(one.right, other.right) for one, other in pairs]
    if len(np.unique(first[0].target)) == 1:
        return errors, []
    areas = [delong(one.target, one.probability, other.probability) for one, other in pairs]
    return errors, areas


def _metric_rows(
    evaluations: dict[tuple[str, str], list[Evaluation]],
) -> Iterable[dict[str, object]]:
    for (network, on), runs in evaluations.items():
        for place, run in enumerate(runs):
            m = run.metrics
            row = {
                "network": network,
                "on": on,
                "run": run.run.name,
                "seed_number": place,
                "images": m.images,
                "left_out_as_shared": run.shared or 0,
                "accuracy": m.accuracy,
                "accuracy_tuned": run.tuned.accuracy if run.tuned else m.accuracy,
                "accuracy_best_epoch": run.best.accuracy,
                "auc": m.auc,
                "ece": m.ece,
                "brier": m.brier,
            }
            for label, figures in m.per_class.items():
                row |= {
                    f"{label}_precision": figures.precision,
                    f"{label}_recall": figures.recall,
                    f"{label}_f1": figures.f1,
                }
            yield row


def _best_on_validation(metrics: pd.DataFrame) -> str:
    """Return the network to choose: never by its test figures."""
    validation = metrics[metrics["on"] == Split.VALIDATION]
    if validation.empty:
        raise InputError("an experiment chooses by validation images, and there are none")
    return str(validation.groupby("network", sort=False)["accuracy"].mean().idxmax())


def _draw_curves(
    evaluations: dict[tuple[str, str], list[Evaluation]], networks: set[str], folder: Path
) -> None:
    """Draw the ROC curves of the first seeds: figures 5 to 7 of the paper."""
    for (network, on), runs in evaluations.items():
        answers = _read(runs[0])
        if network in networks and len(np.unique(answers.target)) > 1:
            curve = charts.roc(answers.target, answers.probability)
            write_bytes(folder / f"roc-{network}-{on}.svg", curve.encode())
