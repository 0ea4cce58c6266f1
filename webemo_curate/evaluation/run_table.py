"""List finished runs side by side, with their settings and results."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webemo_curate.evaluation.evaluation_set import metrics_file
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
        One row for each run.

    Raises
    ------
    InputError
        If a run's configuration is invalid.
    """
    return [run_row(workspace.pull(folder)) for folder in finished_runs(workspace)]


def changed_settings(one: Path, other: Path) -> Iterator[tuple[str, Any, Any]]:
    """Yield the settings in which two runs differ, with both values."""
    first, second = (load_config(run).model_dump(mode="json") for run in (one, other))
    for name, value in first.items():
        if value != second[name]:
            yield name, value, second[name]


def run_row(run: Path) -> RunRow:
    """Return a finished run's settings and results."""
    config = load_config(run)
    test = _read(metrics_file(run, Split.TEST))
    return RunRow(
        name=run_name(run),
        folder=run.name,
        network=f"{config.preset} k{config.grams}",
        epochs=config.epochs,
        seed=load_seed(run),
        validation=_accuracy(_read(metrics_file(run, Split.VALIDATION))),
        test=_accuracy(test),
        auc=test.get("auc"),
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


def _accuracy(metrics: dict[str, Any]) -> tuple[float, float, float] | None:
    if "accuracy" not in metrics:
        return None
    return metrics["accuracy"], metrics["accuracy_low"], metrics["accuracy_high"]


def _read(file: Path) -> dict[str, Any]:
    """Read a JSON object; empty if missing or invalid, which `curate verify` reports."""
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise_system_fault(error, str(file))
        return {}
    return document if isinstance(document, dict) else {}
