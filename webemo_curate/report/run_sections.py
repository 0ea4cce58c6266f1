"""The report's sections on training: each run, and all of them beside each other."""

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from webemo_curate.errors import InputError
from webemo_curate.evaluation.metrics import answers, confusion_matrix
from webemo_curate.evaluation.predictions import predictions_file, read_predictions
from webemo_curate.evaluation.run_table import RunRow, run_row
from webemo_curate.quoting import printable
from webemo_curate.report import charts, roc_charts
from webemo_curate.run_digests import changes, has_digests
from webemo_curate.runs import DONE_FILE, finished_runs, load_classes, load_log
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

logger = logging.getLogger(__name__)

OVERALL = ("accuracy", "accuracy_low", "accuracy_high", "majority")
OF_CLASS = ("precision", "recall", "f1")
"""Figures that the page shows, of all images and of each class."""

MAX_CURVES = 12
"""Runs that are shown in full, and lines of one chart: no reader tells more apart."""

UNSOUND = (
    *(InputError, OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException),
    *(OverflowError, RecursionError),
)
"""What reading files raises that are not a run's."""


@dataclass(frozen=True)
class RunSection:
    """One training run.

    Attributes
    ----------
    name
        The run's name.
    curves, roc
        SVG; None where there is nothing to draw.
    metrics
        From `metrics-test.json`; None before an evaluation.
    confusion
        Counts by target, then answer; of two classes at 0.5.
    classes
        Names of the targets.
    broken
        Why nothing of the run can be shown; None of a sound one.
    recorded
        Whether digests say what its files were; runs of the first versions have none.
    row
        Its settings and results, for the table of all runs; None of a broken one.
    history
        Its log.
    shown
        Whether it is one of the last, which are shown in full; others have their row alone.
    """

    name: str
    curves: str | None
    roc: str | None
    metrics: dict[str, Any] | None
    confusion: list[list[int]]
    classes: tuple[str, ...]
    broken: str | None = None
    recorded: bool = True
    row: RunRow | None = None
    history: charts.History = ()
    shown: bool = True


def run_sections(workspace: Workspace) -> list[RunSection]:
    """Return every finished run, by name; one that cannot be read or was changed is named alone."""
    folders = finished_runs(workspace)
    latest = folders[-MAX_CURVES:]
    return [
        replace(_checked_section(workspace, folder), shown=folder in latest)
        for folder in sorted(folders)
    ]


def curves_together(runs: list[RunSection]) -> str | None:
    """Draw the learning curves of the runs last finished over each other; None of less than two."""
    sound = [(run.row.finished, run.row.name, run.history) for run in runs if run.row]
    latest = sorted(sound, key=lambda run: run[:2])[-MAX_CURVES:]
    if len(latest) <= 1:
        return None
    return charts.overlaid_curves({name: history for _, name, history in latest})


def _checked_section(workspace: Workspace, folder: Path) -> RunSection:
    try:
        workspace.pull(folder)
        recorded = has_digests(folder, DONE_FILE)
        for change in changes(folder, DONE_FILE) if recorded else ():
            raise InputError(change)
        section = _run_section(folder)
        row, history = run_row(folder), load_log(folder)
        return replace(section, recorded=recorded, row=row, history=history)
    except UNSOUND as error:
        raise_system_fault(error, str(folder))
        logger.warning("%s: left out of the report: %s", folder.name, error)
        return RunSection(folder.name, None, None, None, [], (), broken=printable(str(error)))


def _run_section(folder: Path) -> RunSection:
    history = load_log(folder)
    curves, classes = charts.learning_curves(history), load_classes(folder)
    predictions, metrics = predictions_file(folder, Split.TEST), folder / "metrics-test.json"
    if not (predictions.exists() and metrics.exists()):
        return RunSection(folder.name, curves, None, None, [], classes)
    target, probability = read_predictions(predictions)
    confusion = confusion_matrix(target.astype(np.int64), answers(probability), len(classes))
    curve = _roc(target, probability, classes) if len(np.unique(target)) > 1 else None
    figures = _shown_figures(json.loads(metrics.read_text()))
    return RunSection(folder.name, curves, curve, figures, confusion, classes)


def _roc(
    target: NDArray[np.int64], probability: NDArray[np.float64], classes: tuple[str, ...]
) -> str:
    if probability.ndim > 1:
        return roc_charts.roc_against_rest(target, probability, classes)
    return roc_charts.roc(target, probability)


def _shown_figures(document: dict[str, Any]) -> dict[str, Any]:
    """Return the figures that the page shows, as numbers whatever the file holds."""
    shown: dict[str, Any] = {name: float(document[name]) for name in OVERALL}
    shown["per_class"] = {
        str(name): {figure: float(own[figure]) for figure in OF_CLASS}
        | {"support": int(own["support"])}
        for name, own in document["per_class"].items()
    }
    return shown
