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
from webemo_curate.report.pictures import thumbnail
from webemo_curate.schemas import MANIFESTS, DuplicateVerdict, Split, TextVerdict
from webemo_curate.sources.taxonomy import LABELS
from webemo_curate.workspace import Workspace

DONE_FILE, LOG_FILE = "done.json", "log.jsonl"


@dataclass(frozen=True)
class Example:
    """A picture that left, with the reason.

    Attributes
    ----------
    picture
        Data URI.
    beside
        Data URI of the picture it is held against; None without one.
    caption
        Reason and score.
    """

    picture: str
    beside: str | None
    caption: str


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
    """

    name: str
    curves: str | None
    roc: str | None
    metrics: dict[str, Any] | None
    confusion: list[list[int]]


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


def text_examples(workspace: Workspace, count: int) -> list[Example]:
    """Return images that bore text, the surest first, with their boxes."""
    if not workspace.has("text"):
        return []
    table = workspace.read("text", ["sha256", "verdict", "score", "text", "boxes"])
    verdict = table["verdict"].cast("string")
    rows = table.filter(pc.equal(verdict, TextVerdict.TEXT)).sort_by([("score", "descending")])
    examples = []
    for row in rows.slice(0, count).to_pylist():
        polygons = [box["polygon"] for box in row["boxes"] if box["text"]]
        caption = f"text: “{row['text']}”, confidence {row['score']:.2f}"
        examples.append(_example(workspace, row["sha256"], None, caption, polygons))
    return [example for example in examples if example]


def duplicate_examples(workspace: Workspace, count: int) -> list[Example]:
    """Return duplicates beside their keepers, the furthest first."""
    if not workspace.has("duplicates"):
        return []
    table = workspace.read("duplicates")
    verdict = table["verdict"].cast("string")
    rows = table.filter(pc.not_equal(verdict, DuplicateVerdict.KEEPER))
    examples = []
    for row in rows.sort_by([("distance", "descending")]).slice(0, count).to_pylist():
        caption = f"{row['verdict']} by {row['method']}, distance {row['distance']:g}"
        examples.append(_example(workspace, row["sha256"], row["cluster"], caption))
    return [example for example in examples if example]


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
    return [_run_section(file.parent) for file in sorted(workspace.runs.glob(f"*/{DONE_FILE}"))]


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
    predictions, metrics = folder / "predictions-test.parquet", folder / "metrics-test.json"
    if not (predictions.exists() and metrics.exists()):
        return RunSection(folder.name, charts.learning_curves(history), None, None, [])
    table = pq.read_table(predictions, columns=["target", "probability"])
    target, probability = table["target"].to_numpy(), table["probability"].to_numpy()
    answer = probability >= 0.5
    confusion = [[int(((target == t) & (answer == a)).sum()) for a in (0, 1)] for t in (0, 1)]
    curve = charts.roc(target, probability) if len(np.unique(target)) > 1 else None
    figures = json.loads(metrics.read_text())
    return RunSection(folder.name, charts.learning_curves(history), curve, figures, confusion)


def _example(
    workspace: Workspace,
    sha256: str,
    beside: str | None,
    caption: str,
    polygons: list[list[float]] | None = None,
) -> Example | None:
    picture = thumbnail(_file(workspace, sha256), polygons or [])
    other = thumbnail(_file(workspace, beside)) if beside else None
    return Example(picture, other, caption) if picture else None


def _file(workspace: Workspace, sha256: str) -> Path:
    """Find an image's file by its hash: its suffix is the manifest's to know."""
    folder = (workspace.root / workspace.image_path(sha256, "")).parent
    return next(folder.glob(f"{sha256}.*"), folder / sha256)
