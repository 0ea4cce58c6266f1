"""A small workspace of drawn pictures, settled into classes, some of them under another label."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.stages.tables import manifest
from tests.trainable import TINY, draw
from webemo_curate.config import LabelIssuesConfig, PipelineConfig, TrainConfig
from webemo_curate.label_issues.doubt_stages import LabelIssuesStage, OutOfFoldStage, with_doubts
from webemo_curate.manifest import Origin
from webemo_curate.pipeline import Pipeline, build_stages
from webemo_curate.workspace import Workspace, image_path

LABELS = ("zest", "sadness")
"""By target."""

SMALL = TINY.model_copy(update={"image_size": 64, "epochs": 1, "grams": 0})
DOUBTS = ("out_of_fold", "label_issues", "label_noise")


def make_doubtable(root: Path, pictures: int, flipped: Sequence[int] = ()) -> Workspace:
    """Draw warm and cold pictures in turn; those numbered in `flipped` get the other label."""
    place, rng = Workspace(root), np.random.default_rng(0)
    rows = []
    for number in range(pictures):
        truth = number % 2
        sha256 = draw(place.root / "drawn.png", truth, rng)
        path = image_path(sha256, ".png")
        (place.root / path).parent.mkdir(parents=True, exist_ok=True)
        (place.root / "drawn.png").rename(place.root / path)
        target = 1 - truth if number in flipped else truth
        rows.append({"sha256": sha256, "path": path, "target": target, "number": number})
    write(place, "images", [{"sha256": row["sha256"], "path": row["path"]} for row in rows])
    members = [
        {"sha256": row["sha256"], "cluster": row["sha256"], "matched": row["sha256"]}
        | {"group": f"g{row['number'] // 2}"}
        for row in rows
    ]
    write(place, "duplicates", members)
    settled = [
        {"cluster": row["sha256"], "labels": [LABELS[row["target"]]], "target": row["target"]}
        | {"label": LABELS[row["target"]]}
        | {"positive_votes": row["target"], "other_votes": 1 - row["target"]}
        for row in rows
    ]
    write(place, "labels", settled)
    list_lines(place, {row["sha256"]: [LABELS[row["target"]]] for row in rows})
    return place


def list_lines(place: Workspace, labels: Mapping[str, Sequence[str]]) -> None:
    """Write a listing that gives each picture its labels, a line each, all of them fetched."""
    lines, fetched = [], []
    for sha256, names in labels.items():
        for label in names:
            url = f"https://pictures.example/{len(lines)}"
            lines.append({"url": url, "label": label, "source": "list", "line": len(lines) + 1})
            fetched.append({"url": url, "sha256": sha256, "status": "ok", "attempts": 1})
    write(place, "listing", lines)
    write(place, "fetch", fetched)


def write(place: Workspace, name: str, rows: Iterable[dict[str, Any]]) -> None:
    """Write a manifest of rows of some of its columns."""
    place.write(name, manifest(name, rows), Origin("drawn", 1, {}, {}))


def configured(train: TrainConfig = SMALL, **doubts: object) -> PipelineConfig:
    """Return a configuration of two folds, and whatever else is said of doubts."""
    given = LabelIssuesConfig.model_validate({"folds": 2} | doubts)
    return PipelineConfig(train=train, label_issues=given)


def doubt_labels(place: Workspace, config: PipelineConfig) -> list[str]:
    """Bring the doubts up to date, alone; return the stages that ran."""
    ran = []
    for name in (OutOfFoldStage.name, LabelIssuesStage.name):
        pipeline = Pipeline(place, config, stages=with_doubts(build_stages))
        ran += [each.stage for each in pipeline.run(name, only=True) if each.reason]
    return ran


def run_alone(place: Workspace, config: PipelineConfig, stage: str) -> None:
    """Run a stage of the pipeline alone."""
    for _ in Pipeline(place, config).run(stage, only=True):
        pass
