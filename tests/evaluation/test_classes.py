"""The positive class is data: manifests and runs name it, and everything after reads it there."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.trainable import TINY, draw_set, make_workspace
from tests.work import work_on
from webemo_curate.errors import InputError
from webemo_curate.evaluation.evaluate import evaluate
from webemo_curate.evaluation.predict import predict
from webemo_curate.manifest import METADATA_KEY, Origin
from webemo_curate.runs import CONFIG_FILE, load_classes
from webemo_curate.training.fit import train
from webemo_curate.workspace import Workspace

ANGER = ("others", "anger")


@pytest.fixture(scope="module")
def angry(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Path]:
    """A workspace whose splits hold anger against others, and a run on them."""
    workspace = make_workspace(tmp_path_factory.mktemp("angry") / "ws", ANGER)
    (run,) = train(TINY.model_copy(update={"epochs": 1}), work_on(workspace))
    return workspace, run.folder


def test_a_split_names_its_classes(angry: tuple[Workspace, Path]) -> None:
    workspace, run = angry
    metadata = pq.read_metadata(workspace.manifest_path("train")).metadata[METADATA_KEY]
    assert json.loads(metadata)["classes"] == [*ANGER]
    assert load_classes(run) == ANGER


def test_figures_and_answers_bear_the_names_of_the_run(angry: tuple[Workspace, Path]) -> None:
    workspace, run = angry
    found = evaluate(run, "test", work_on(workspace), "cpu")
    assert [*found.metrics.per_class] == [*ANGER]
    assert "anger: precision" in found.summary()
    picture = workspace.root / workspace.read("test", ["path"])["path"][0].as_py()
    (answer,) = predict(run, [picture], "cpu")
    assert answer.label in ANGER


def test_a_folder_is_judged_by_the_class_of_the_run(
    angry: tuple[Workspace, Path], tmp_path: Path
) -> None:
    workspace, run = angry
    folder = draw_set(tmp_path / "emotions")
    (folder / "sadness").rename(folder / "anger")
    found = evaluate(run, str(folder), work_on(workspace), "cpu")
    assert found.metrics.per_class["anger"].support == 4


def test_targets_of_another_meaning_are_refused(
    angry: tuple[Workspace, Path], tmp_path: Path
) -> None:
    _, run = angry
    sad = make_workspace(tmp_path / "sad")
    with pytest.raises(InputError, match="its targets are others and sadness, the run's are"):
        evaluate(run, "test", work_on(sad), "cpu")


def test_manifests_and_runs_of_before_are_the_papers(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "ws")
    table = workspace.read("test")
    workspace.write("test", table, Origin("split", 1, {}, {}))
    assert workspace.classes("test") == ("others", "sadness")
    run = tmp_path / "run"
    run.mkdir()
    (run / CONFIG_FILE).write_text(json.dumps({"preset": "paper", "seed": 0}))
    assert load_classes(run) == ("others", "sadness")
