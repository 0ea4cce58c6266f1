"""What a finished run keeps, and the sets it is measured on."""

import json
import logging
import os
import pty
import re
import sys
import termios
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image
from tqdm import tqdm

from tests.trainable import TINY, make_workspace
from tests.work import work_on
from webemo_curate.evaluation.evaluate import evaluate
from webemo_curate.evaluation.metrics import best_threshold
from webemo_curate.runs import LOG_FILE, RunResult
from webemo_curate.training.fit import train
from webemo_curate.workspace import Workspace

PANDAS_EMOTIONS = ("anger", "fear", "joy", "love", "sadness", "surprise")
PUBLISHED_SETS = {
    "UnbiasedEmo": PANDAS_EMOTIONS,
    "Emotion-6": PANDAS_EMOTIONS,
    "Emotion6": ("anger", "disgust", "fear", "joy", "sadness", "surprise"),
}
"""Folders of the sets, the last of Cornell."""
SCREEN, SCREEN_BYTES = (24, 120), 2**20
RATE = "(image/s|s/image)"
"""Images a second, or below one a second its inverse."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_workspace(tmp_path_factory.mktemp("run") / "ws")


@pytest.fixture(scope="module")
def run(workspace: Workspace) -> RunResult:
    (run,) = train(TINY.model_copy(update={"epochs": 3, "grams": 0}), work_on(workspace))
    return run


def test_last_and_best_epochs_on_validation_are_kept(workspace: Workspace, run: RunResult) -> None:
    found = evaluate(run.folder, "validation", work_on(workspace), "cpu")
    accuracies = [entry["val_accuracy"] for entry in run.history]
    assert found.metrics.accuracy == pytest.approx(accuracies[-1])
    assert found.best.accuracy == pytest.approx(max(accuracies))


def test_the_log_is_an_object_an_epoch(run: RunResult) -> None:
    lines = (run.folder / LOG_FILE).read_text().splitlines()
    assert [json.loads(line) for line in lines] == run.history
    assert all(entry["images_per_second"] > 0 for entry in run.history)


def test_the_tuned_threshold_is_validations(workspace: Workspace, run: RunResult) -> None:
    found = evaluate(run.folder, "test", work_on(workspace), "cpu")
    rows = pq.read_table(run.folder / "predictions-validation.parquet").to_pandas()
    expected = best_threshold(rows["target"].to_numpy(), rows["probability"].to_numpy())
    assert found.tuned
    assert found.tuned.threshold == expected
    rows = pq.read_table(found.predictions).to_pandas()
    right = (rows["probability"] >= expected) == rows["target"]
    assert found.tuned.accuracy == pytest.approx(right.mean())


def test_a_manifest_is_a_test_set(workspace: Workspace, run: RunResult) -> None:
    manifest = str(workspace.manifest_path("test"))
    by_path = evaluate(run.folder, manifest, work_on(workspace), "cpu")
    assert by_path.metrics == evaluate(run.folder, "test", work_on(workspace), "cpu").metrics


@pytest.mark.parametrize(("name", "emotions"), PUBLISHED_SETS.items())
def test_published_sets_are_read_as_they_come(
    workspace: Workspace, run: RunResult, tmp_path: Path, name: str, emotions: tuple[str, ...]
) -> None:
    for place, emotion in enumerate(emotions):
        home = tmp_path / name / emotion
        home.mkdir(parents=True)
        Image.new("RGB", (50, 30), (40 * place, 90, 9)).save(home / "1.jpg")
        (home / ".DS_Store").write_bytes(b"not a picture")
    (tmp_path / name / "ground_truth.txt").write_text("beside the folders")

    found = evaluate(run.folder, str(tmp_path / name), work_on(workspace), "cpu")
    assert found.on == name
    supports = {label: own.support for label, own in found.metrics.per_class.items()}
    assert supports == {"others": 5, "sadness": 1}


def test_progress_shows_images_a_second_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "webemo_curate")
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    termios.tcsetwinsize(theirs, SCREEN)
    monkeypatch.setattr("webemo_curate.progress.SHOW_AFTER_SECONDS", 0.0)
    # These epochs end before a bar would be drawn a second time.
    monkeypatch.setattr("webemo_curate.progress.tqdm", partial(tqdm, mininterval=0, miniters=1))
    with os.fdopen(theirs, "w") as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        train(TINY, work_on(make_workspace(tmp_path / "ws")))
        shown = os.read(ours, SCREEN_BYTES).decode()
    os.close(ours)
    assert re.search(rf"epoch 1 of 2: +50%.* 16/32 \[.*\d{RATE}", shown)
    assert re.search(rf"epoch 2 of 2: 100%.* 32/32 \[.*\d{RATE}", shown)
