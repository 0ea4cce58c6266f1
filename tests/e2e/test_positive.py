"""`--positive anger` from the labels to the report: no part of it takes sadness for granted."""

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import curate
from tests.trainable import TINY, draw_set
from tests.work import work_on
from webemo_curate.evaluation.evaluate import evaluate
from webemo_curate.evaluation.predict import predict
from webemo_curate.evaluation.seeds import figures_of
from webemo_curate.report.build import build_report
from webemo_curate.runs import load_classes
from webemo_curate.training.fit import train
from webemo_curate.workspace import Workspace

pytestmark = pytest.mark.slow

ANGER = ("others", "anger")


@pytest.fixture(scope="module")
def angry(curated: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Path]:
    """A workspace split for anger against others, and a run on it."""
    workspace = Workspace(shutil.copytree(curated, tmp_path_factory.mktemp("angry") / "ws"))
    curate("binarize", "--positive", "anger", "--workspace", workspace.root)
    curate("split", "--workspace", workspace.root)
    (run,) = train(TINY.model_copy(update={"epochs": 1, "grams": 0}), work_on(workspace))
    return workspace, run.folder


def test_manifests_and_run_record_the_classes(angry: tuple[Workspace, Path]) -> None:
    workspace, run = angry
    for split in ("train", "validation", "test"):
        assert workspace.classes(split) == ANGER
        rows = workspace.read(split, ["label", "target"]).to_pylist()
        assert all(row["label"] != "sadness" or row["target"] == 0 for row in rows)
    assert load_classes(run) == ANGER


def test_everything_after_reads_them_there(angry: tuple[Workspace, Path], tmp_path: Path) -> None:
    workspace, run = angry
    # What the workspace is configured for since must not change what an old run means.
    config = workspace.config()
    workspace.save_config(config.model_copy(update={"binarize": type(config.binarize)()}))
    folder = draw_set(tmp_path / "emotions")
    (folder / "sadness").rename(folder / "anger")

    said = curate("evaluate", run.name, "--on", folder, "--workspace", workspace.root, "--json")
    document = json.loads(said.splitlines()[-1])
    assert {name: one["support"] for name, one in document["per_class"].items()} == {
        "others": 4,
        "anger": 4,
    }
    assert "anger: precision" in said

    measured = evaluate(run, "test", work_on(workspace), "cpu")
    assert {"others_recall", "anger_recall"} <= set(figures_of(measured))
    (answer,) = predict(run, [folder / "joy" / "0.png"], "cpu")
    assert answer.label in ANGER
    page = Path(build_report(work_on(workspace))).read_text(encoding="utf-8")
    assert "anger" in page
