"""The report's sections, gathered from the manifests and the runs."""

import json
import logging
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from webemo_curate.accounting import FunnelStep, funnel
from webemo_curate.errors import InputError
from webemo_curate.evaluation.metrics import answers, confusion_matrix
from webemo_curate.evaluation.predictions import predictions_file, read_predictions
from webemo_curate.quoting import printable
from webemo_curate.report import charts
from webemo_curate.run_digests import changes, has_digests
from webemo_curate.runs import DONE_FILE, finished_runs, load_classes, load_log
from webemo_curate.schemas import MANIFESTS
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.taxonomies.webemo_labels import LABELS
from webemo_curate.verdicts import Split, is_binary
from webemo_curate.workspace import Workspace

logger = logging.getLogger(__name__)

OVERALL = ("accuracy", "accuracy_low", "accuracy_high", "majority")
OF_CLASS = ("precision", "recall", "f1")
"""Figures that the page shows, of all images and of each class."""

UNSOUND = (InputError, OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException)
"""What reading files raises that are not a run's."""


@dataclass(frozen=True)
class SplitRow:
    """Size of one split, in all and of each class, and its labels and groups."""

    name: str
    images: int
    sizes: list[int]
    labels: int
    groups: int


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
    """

    name: str
    curves: str | None
    roc: str | None
    metrics: dict[str, Any] | None
    confusion: list[list[int]]
    classes: tuple[str, ...]
    broken: str | None = None
    recorded: bool = True


@dataclass(frozen=True)
class Tile:
    """One figure at the head of the page."""

    name: str
    value: str


def headline(
    steps: list[FunnelStep],
    splits: list[SplitRow],
    runs: list[RunSection],
    classes: tuple[str, ...],
) -> list[Tile]:
    """Return what a reader wants to know first, as far as stages have run."""
    if not steps:
        return []
    tiles = [
        Tile("listed lines", f"{steps[0].entered:,}"),
        Tile(f"{steps[-1].unit} remaining", f"{steps[-1].remaining:,}"),
    ]
    if splits:
        images = sum(row.images for row in splits) or 1
        positive = sum(row.sizes[1] for row in splits) / images
        binary = is_binary(classes)
        tiles.append(
            Tile("positive", f"{positive:.1%}") if binary else Tile("classes", str(len(classes)))
        )
    measured = [(run.name, run.metrics["accuracy"]) for run in runs if run.metrics]
    if measured:
        name, accuracy = measured[-1]  # others may be of other networks and splits: no mean
        tiles.append(Tile(f"accuracy on test of {name}", f"{accuracy:.1%}"))
    return tiles


def funnel_steps(workspace: Workspace) -> list[FunnelStep]:
    """Return the funnel as far as stages have run."""
    return funnel(workspace.read, {name for name in MANIFESTS if workspace.has(name)})


def label_chart(workspace: Workspace) -> str | None:
    """Draw the labels before and after; None until there are splits."""
    if not all(map(workspace.has, ("listing", *Split))):
        return None
    listed = Counter(workspace.read("listing", ["label"])["label"].to_pylist())
    final: Counter[str] = Counter()
    for split in Split:
        final.update(workspace.read(split, ["label"])["label"].to_pylist())
    names = [label.name for label in LABELS]
    if not listed.keys() - {None} <= set(names):
        names = sorted(label for label in listed if label is not None)
    return charts.label_bars(names, [listed[n] for n in names], [final[n] for n in names])


def split_rows(workspace: Workspace) -> list[SplitRow]:
    """Return a row for each split; empty until there are splits."""
    if not all(map(workspace.has, Split)):
        return []
    rows = []
    for split in Split:
        table = workspace.read(split, ["target", "label", "group"])
        counts = [len(table[name].unique()) for name in ("label", "group")]
        classes = len(workspace.classes(split))
        sizes = np.bincount(table["target"].to_numpy(), minlength=classes).tolist()
        rows.append(SplitRow(str(split), table.num_rows, sizes, *counts))
    return rows


def run_sections(workspace: Workspace) -> list[RunSection]:
    """Return every finished run, by name; one that cannot be read or was changed is named alone."""
    folders = sorted(finished_runs(workspace))
    return [_checked_section(workspace.pull(folder)) for folder in folders]


def origins(workspace: Workspace) -> list[tuple[str, int, str, str]]:
    """Return name, rows, digest and configuration of each manifest that is there."""
    infos = {name: workspace.info(name) for name in MANIFESTS}
    return [
        (name, info.rows, info.digest, json.dumps(info.origin.configuration, sort_keys=True))
        for name, info in infos.items()
        if info is not None
    ]


def _checked_section(folder: Path) -> RunSection:
    try:
        recorded = has_digests(folder, DONE_FILE)
        for change in changes(folder, DONE_FILE) if recorded else ():
            raise InputError(change)
        return replace(_run_section(folder), recorded=recorded)
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
        return charts.roc_against_rest(target, probability, classes)
    return charts.roc(target, probability)


def _shown_figures(document: dict[str, Any]) -> dict[str, Any]:
    """Return the figures that the page shows, as numbers whatever the file holds."""
    shown: dict[str, Any] = {name: float(document[name]) for name in OVERALL}
    shown["per_class"] = {
        str(name): {figure: float(own[figure]) for figure in OF_CLASS}
        | {"support": int(own["support"])}
        for name, own in document["per_class"].items()
    }
    return shown
