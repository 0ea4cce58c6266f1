"""What the report shows, gathered from the manifests and the runs."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from webemo_curate.accounting import FunnelStep, funnel
from webemo_curate.report import charts
from webemo_curate.runs import LOG_FILE, finished_runs, load_classes
from webemo_curate.schemas import MANIFESTS
from webemo_curate.taxonomies.webemo_labels import LABELS
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace


@dataclass(frozen=True)
class SplitRow:
    """Size and classes of one split."""

    name: str
    images: int
    positive: int
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
        Counts by target, then answer, at 0.5.
    classes
        Names of the targets.
    """

    name: str
    curves: str | None
    roc: str | None
    metrics: dict[str, Any] | None
    confusion: list[list[int]]
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Tile:
    """One figure at the head of the page."""

    name: str
    value: str


def headline(steps: list[FunnelStep], splits: list[SplitRow], runs: list[RunSection]) -> list[Tile]:
    """Return what a reader wants to know first, as far as stages have run."""
    if not steps:
        return []
    tiles = [
        Tile("listed lines", f"{steps[0].entered:,}"),
        Tile(f"{steps[-1].unit} remaining", f"{steps[-1].remaining:,}"),
    ]
    if splits:
        images = sum(row.images for row in splits) or 1
        tiles.append(Tile("positive", f"{sum(row.positive for row in splits) / images:.1%}"))
    measured = [run.metrics["accuracy"] for run in runs if run.metrics]
    if measured:
        tiles.append(Tile("accuracy on test", f"{np.mean(measured):.1%}"))
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
    return charts.label_bars(names, [listed[n] for n in names], [final[n] for n in names])


def split_rows(workspace: Workspace) -> list[SplitRow]:
    """Return a row for each split; empty until there are splits."""
    if not all(map(workspace.has, Split)):
        return []
    rows = []
    for split in Split:
        table = workspace.read(split, ["target", "label", "group"])
        counts = [len(table[name].unique()) for name in ("label", "group")]
        positive = pc.sum(table["target"].cast("int64")).as_py() or 0
        rows.append(SplitRow(str(split), table.num_rows, positive, *counts))
    return rows


def run_sections(workspace: Workspace) -> list[RunSection]:
    """Return every finished run, by name."""
    return [_run_section(workspace.pull(folder)) for folder in sorted(finished_runs(workspace))]


def origins(workspace: Workspace) -> list[tuple[str, int, str, str]]:
    """Return name, rows, digest and configuration of each manifest that is there."""
    infos = {name: workspace.info(name) for name in MANIFESTS}
    return [
        (name, info.rows, info.digest, json.dumps(info.origin.configuration, sort_keys=True))
        for name, info in infos.items()
        if info is not None
    ]


def _run_section(folder: Path) -> RunSection:
    history = [json.loads(line) for line in (folder / LOG_FILE).read_text().splitlines()]
    curves, classes = charts.learning_curves(history), load_classes(folder)
    predictions, metrics = folder / "predictions-test.parquet", folder / "metrics-test.json"
    if not (predictions.exists() and metrics.exists()):
        return RunSection(folder.name, curves, None, None, [], classes)
    table = pq.read_table(predictions, columns=["target", "probability"])
    target, probability = table["target"].to_numpy(), table["probability"].to_numpy()
    answer = probability >= 0.5
    confusion = [[int(((target == t) & (answer == a)).sum()) for a in (0, 1)] for t in (0, 1)]
    curve = charts.roc(target, probability) if len(np.unique(target)) > 1 else None
    figures = json.loads(metrics.read_text())
    return RunSection(folder.name, curves, curve, figures, confusion, classes)
