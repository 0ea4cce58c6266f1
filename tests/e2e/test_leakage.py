"""`curate dedup --against`: what a test set shares with the training data is marked and said."""

import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageOps

from tests.e2e.conftest import curate
from tests.trainable import TINY
from tests.work import work_on
from webemo_curate.errors import InputError
from webemo_curate.evaluation.evaluate import evaluate
from webemo_curate.training.fit import train
from webemo_curate.workspace import Workspace

KEPT_OF_CROP = 0.75


@pytest.fixture
def own(curated: Path, tmp_path: Path) -> Workspace:
    """A copy of the curated workspace, to write to."""
    return Workspace(shutil.copytree(curated, tmp_path / "own"))


def pictures(workspace: Workspace, split: str) -> list[Image.Image]:
    """Return the pictures of a split, those with the most structure first."""
    paths = workspace.read(split, ["path"])["path"].to_pylist()
    opened = [Image.open(workspace.root / path).convert("RGB") for path in paths]
    return sorted(opened, key=lambda picture: -np.asarray(picture.convert("L")).std())


def crop(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    return picture.crop((0, 0, round(width * KEPT_OF_CROP), round(height * KEPT_OF_CROP)))


@pytest.fixture
def outside(own: Workspace, tmp_path: Path) -> Path:
    """A test set of strangers, disguised training pictures and one of our own test split."""
    trained, tested = pictures(own, "train"), pictures(own, "test")
    noise = np.random.default_rng(0).integers(0, 256, (4, 90, 120, 3), dtype=np.uint8)
    disguised = {
        "sadness/same.png": trained[0],
        "sadness/smaller.jpg": trained[1].resize((110, 80)),
        "joy/mirrored.jpg": ImageOps.mirror(trained[2]),
        "joy/cropped.jpg": crop(trained[3]),
        "joy/tested.png": tested[0],
    }
    strangers = {f"sadness/{n}.png": Image.fromarray(pixels) for n, pixels in enumerate(noise)}
    folder = tmp_path / "Outside"
    for name, picture in (disguised | strangers).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture.save(folder / name)
    (folder / "sadness" / "broken.jpg").write_bytes(b"no image")
    return folder


def test_disguised_pictures_are_marked_with_their_match(own: Workspace, outside: Path) -> None:
    output = curate("dedup", "--against", outside, "--workspace", own.root, "--json")

    assert output.count("files are taken") == 1
    assert "Outside: 5 of 10 images are in the workspace too" in output
    assert json.loads(output.splitlines()[-1])["shared"] == {"Outside": 5}
    rows = pq.read_table(own.manifests / "shared-Outside.parquet").to_pylist()
    methods = {Path(row["path"]).name: row["method"] for row in rows}
    assert methods["same.png"] == methods["tested.png"] == "pixels"
    assert methods["smaller.jpg"] == methods["mirrored.jpg"] == "phash"
    assert methods["cropped.jpg"] in {"phash", "features"}
    assert all(row["distance"] <= row["threshold"] for row in rows)
    clean = set(own.read("duplicates")["sha256"].to_pylist())
    assert {row["matched"] for row in rows} <= clean


@pytest.mark.slow
def test_marks_are_made_again_only_for_another_set(own: Workspace, outside: Path) -> None:
    marks = own.manifests / "shared-Outside.parquet"
    curate("dedup", "--against", outside, "--workspace", own.root)
    first, written = marks.read_bytes(), marks.stat().st_mtime_ns
    curate("dedup", "--against", outside, "--workspace", own.root)
    assert marks.stat().st_mtime_ns == written
    marks.unlink()
    curate("dedup", "--against", outside, "--workspace", own.root, "--workers", 1)
    assert marks.read_bytes() == first
    (outside / "joy" / "tested.png").unlink()
    assert "4 of 9" in curate("dedup", "--against", outside, "--workspace", own.root)


def test_evaluation_warns_of_shared_pictures_and_can_leave_them_out(
    own: Workspace, outside: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (outside / "sadness" / "broken.jpg").unlink()
    (run,) = train(TINY.model_copy(update={"epochs": 1}), work_on(own))

    caplog.set_level(logging.INFO, "webemo_curate")
    whole = evaluate(run.folder, str(outside), work_on(own), "cpu")
    assert sum("files are taken" in message for message in caplog.messages) == 1
    assert (whole.shared, whole.metrics.images) == (4, 9)  # the test split's picture is no leak
    assert "warning: the pictures of 4 of these images" in whole.summary()

    rest = evaluate(run.folder, str(outside), work_on(own), "cpu", exclude_shared=True)
    assert (rest.shared, rest.metrics.images) == (4, 5)
    assert "left out: 4 images" in rest.summary()
    assert rest.predictions != whole.predictions

    own.manifest_path("features").unlink()
    with pytest.raises(InputError, match="run 'curate split'"):
        evaluate(run.folder, str(outside), work_on(own), "cpu", exclude_shared=True)


def test_an_empty_folder_is_an_error(own: Workspace, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(AssertionError, match="holds no file; give a folder of images"):
        curate("dedup", "--against", tmp_path / "empty", "--workspace", own.root)
