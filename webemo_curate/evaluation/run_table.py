"""List finished runs side by side, with their settings and results."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webemo_curate.errors import InputError
from webemo_curate.evaluation.evaluation_set import metrics_file
from webemo_curate.quoting import quoted
from webemo_curate.remedies import typed
from webemo_curate.run_names import run_name
from webemo_curate.runs import (
    DONE_FILE,
    RunResult,
    finished_runs,
    load_config,
    load_seed,
    load_splits,
)
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

logger = logging.getLogger(__name__)

DIGEST_DIGITS = 8


@dataclass(frozen=True)
class RunRow:
    """A finished run.

    Attributes
    ----------
    name
        The given name, else the folder's name.
    folder
        Its folder's name.
    network, epochs, seed
        What was trained: preset and Gram modules, epochs, seed.
    validation, test
        Accuracy with its 95 % interval; None if not measured.
    auc
        Area under the ROC curve on test; None if not measured or undefined.
    split
        Start of the digest of its training split; empty for runs of an earlier release.
    finished
        Time of completion in ISO format.
    """

    name: str
    folder: str
    network: str
    epochs: int
    seed: int
    validation: tuple[float, float, float] | None
    test: tuple[float, float, float] | None
    auc: float | None
    split: str
    finished: str


def run_rows(workspace: Workspace) -> list[RunRow]:
    """Return the finished runs of a workspace, the latest last.

    Parameters
    ----------
    workspace : Workspace
        Holds the runs.

    Returns
    -------
    list of RunRow
        One row for each run; a run whose configuration or figures are invalid is named in the log
        instead.
    """
    rows = (_row_or_none(workspace.pull(folder)) for folder in finished_runs(workspace))
    return [row for row in rows if row is not None]


def _row_or_none(folder: Path) -> RunRow | None:
    """Return a run's row; name one that cannot be read, which is no reason to hide the others."""
    try:
        return run_row(folder)
    except InputError as error:
        logger.warning("%s: left out: %s", folder.name, error)
        return None


def changed_settings(one: Path, other: Path) -> Iterator[tuple[str, Any, Any]]:
    """Yield the settings in which two runs differ, with both values."""
    first, second = (load_config(run).model_dump(mode="json") for run in (one, other))
    for name, value in first.items():
        if value != second[name]:
            yield name, value, second[name]


def run_row(run: Path) -> RunRow:
    """Return a finished run's settings and results.

    Raises
    ------
    InputError
        If its configuration or a figure is invalid.
    """
    config = load_config(run)
    test = _read(metrics_file(run, Split.TEST))
    return RunRow(
        name=run_name(run),
        folder=run.name,
        network=f"{config.preset} k{config.grams}",
        epochs=config.epochs,
        seed=load_seed(run),
        validation=_accuracy(run, _read(metrics_file(run, Split.VALIDATION))),
        test=_accuracy(run, test),
        auc=None if test.get("auc") is None else _figure(run, test, "auc"),
        split=load_splits(run).get(Split.TRAIN, "")[:DIGEST_DIGITS],
        finished=str(_read(run / DONE_FILE).get("finished", "")),
    )


def trained_line(run: RunResult) -> str:
    """Describe in one line how a training ended: run, validation accuracy and interval."""
    row = run_row(run.folder)
    state = "current" if run.skipped else "trained"
    figure = interval(row.validation)
    said = f"validation accuracy {figure}" if row.validation else "no validation images"
    return f"{state} {row.name}: {said}, after {len(run.history)} epochs"


def interval(accuracy: tuple[float, float, float] | None) -> str:
    """Return an accuracy with its 95 % interval; a dash if there is none."""
    if accuracy is None:
        return "-"
    share, low, high = accuracy
    return f"{share:.1%} ({low:.1%} to {high:.1%})"


def _accuracy(run: Path, metrics: dict[str, Any]) -> tuple[float, float, float] | None:
    if "accuracy" not in metrics:
        return None
    low, high = (_figure(run, metrics, f"accuracy_{end}") for end in ("low", "high"))
    return _figure(run, metrics, "accuracy"), low, high


def _figure(run: Path, metrics: dict[str, Any], name: str) -> float:
    """Return a figure, which anyone may have written, as a number."""
    try:
        return float(metrics[name])
    except (KeyError, TypeError, ValueError, OverflowError):
        given = quoted(metrics.get(name))
        raise InputError(
            f"{run.name}: its {name} is {given}, no number; run '{typed('evaluate')}' again"
        ) from None


def _read(file: Path) -> dict[str, Any]:
    """Read a JSON object; empty if missing or invalid, which `curate verify` reports."""
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise_system_fault(error, str(file))
        return {}
    return document if isinstance(document, dict) else {}
