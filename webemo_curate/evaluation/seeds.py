"""Summarize runs that differ only in their seed, by mean and standard deviation."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from webemo_curate.errors import InputError
from webemo_curate.evaluation.evaluate import Evaluation
from webemo_curate.evaluation.markdown import percent, spread
from webemo_curate.evaluation.metrics import RankedClassMetrics
from webemo_curate.runs import finished_runs, load_config, run_folder
from webemo_curate.workspace import Workspace

logger = logging.getLogger(__name__)

DIGITS = 3
TUNED = "accuracy_tuned"
"""Figures that exist for two classes only, because they need a threshold."""


def seeds_of(run: Path, workspace: Workspace) -> list[Path]:
    """Return the finished runs that differ from a run only in their seed.

    Parameters
    ----------
    run : Path
        A finished run's folder.
    workspace : Workspace
        Holds the manifests; a run on other splits than the present ones is returned alone.

    Returns
    -------
    list of Path
        Folders in the order of the seeds, the run's own among them.
    """
    wanted = _settings(run)
    finished = [workspace.pull(folder) for folder in finished_runs(workspace)]
    alike = [folder for folder in finished if _settings(folder) == wanted]
    try:
        current = [folder for folder in alike if _is_of_present_splits(folder, workspace)]
    except InputError as error:
        logger.warning("other seeds are not looked for: %s", error)
        return [run]
    if not any(folder.samefile(run) for folder in current):
        return [run]
    others = [folder for folder in current if not folder.samefile(run)]
    return sorted([run, *others], key=lambda folder: load_config(folder).seed)


def figures_of(evaluation: Evaluation) -> dict[str, float | None]:
    """Return an evaluation's figures by flat names, such as `sadness_recall`."""
    m, tuned = evaluation.metrics, evaluation.tuned
    figures: dict[str, float | None] = {"accuracy": m.accuracy}
    if m.threshold is not None:
        figures[TUNED] = tuned.accuracy if tuned else None
    figures |= {
        "accuracy_best_epoch": evaluation.best.accuracy,
        "auc": m.auc,
        "ece": m.ece,
        "brier": m.brier,
    }
    for label, own in m.per_class.items():
        figures |= {
            f"{label}_precision": own.precision,
            f"{label}_recall": own.recall,
            f"{label}_f1": own.f1,
        }
        if isinstance(own, RankedClassMetrics):
            figures[f"{label}_auc"] = own.auc
    return figures


def mean_and_deviation(evaluations: Sequence[Evaluation]) -> dict[str, dict[str, Any]]:
    """Return each figure's mean and sample standard deviation over seeds.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        At least two, on the same set.

    Returns
    -------
    dict of str to dict
        `mean` and `deviation`, each by the names of `figures_of`; None where undefined.
    """
    table = _table(evaluations)
    return {
        name: {str(figure): None if pd.isna(v) else float(v) for figure, v in row.items()}
        for name, row in (("mean", table.mean()), ("deviation", table.std()))
    }


def seeds_summary(evaluations: Sequence[Evaluation]) -> str:
    """Describe the figures over seeds in a few lines."""
    table = _table(evaluations)
    tuned = ""
    if TUNED in table and table[TUNED].notna().any():
        tuned = f"; at the threshold chosen on validation {percent(table[TUNED])} %"
    lines = [
        f"{len(evaluations)} seeds on {evaluations[0].on}, mean ± standard deviation",
        f"  accuracy {percent(table['accuracy'])} %{tuned}",
        f"  AUC {spread(table['auc'], DIGITS)}, calibration error {spread(table['ece'], DIGITS)}, "
        f"Brier {spread(table['brier'], DIGITS)}",
    ]
    for label in evaluations[0].metrics.per_class:
        scores = [
            f"{title} {spread(table[f'{label}_{score}'], DIGITS)}"
            for score, title in (("precision", "precision"), ("recall", "recall"), ("f1", "F1"))
        ]
        lines.append(f"  {label}: {', '.join(scores)}")
    return "\n".join(lines)


def _table(evaluations: Sequence[Evaluation]) -> pd.DataFrame:
    return pd.DataFrame([figures_of(one) for one in evaluations]).astype(float)


def _settings(run: Path) -> dict[str, Any]:
    return {name: value for name, value in load_config(run).fingerprint().items() if name != "seed"}


def _is_of_present_splits(run: Path, workspace: Workspace) -> bool:
    config = load_config(run)
    return run_folder(config, config.seed, workspace).name == run.name
