"""One folder gives the same pictures to add-folder and evaluate; what is left out is said."""

import logging
from pathlib import Path

import numpy as np
import pytest

from tests.trainable import draw
from tests.work import work_on
from webemo_curate.config import BinarizeConfig, ListingConfig, PipelineConfig
from webemo_curate.errors import InputError
from webemo_curate.evaluation.evaluation_set import open_set
from webemo_curate.manifest import read_manifest
from webemo_curate.sources.added import AddedSet, add_folder
from webemo_curate.verdicts import DEFAULT_CLASSES, Split
from webemo_curate.workspace import Workspace

Pairs = set[tuple[str, int]]


def fill(folder: Path, *classes: str) -> Path:
    """Draw two pictures a class; a copy, a conflict and a broken file among them."""
    generator = np.random.default_rng(0)
    for number in range(2):
        for name in classes:
            draw(folder / name / f"{number}.png", 0, generator)
    first, last = folder / classes[0], folder / classes[-1]
    (first / "again.png").write_bytes((first / "0.png").read_bytes())
    (first / "both.png").write_bytes((last / "1.png").read_bytes())
    (first / "broken.png").write_bytes(b"no picture")
    return folder


def by_both(folder: Path, workspace: Path, config: PipelineConfig) -> tuple[AddedSet, Pairs, Pairs]:
    """Return what add-folder takes, and what evaluate measures on, of the same folder."""
    work = work_on(Workspace(workspace), config)
    added = add_folder(folder, "added", work)
    names = ["sha256", "target"]
    stored = read_manifest(workspace / "manifests" / "added.parquet", Split.TEST, names)
    measured = open_set(str(folder), work, DEFAULT_CLASSES).table.select(names)
    pairs = [
        set(zip(*table.to_pydict().values(), strict=True))
        for table in (stored.select(names), measured)
    ]
    assert [table.num_rows for table in (stored, measured)] == [len(pair) for pair in pairs]
    return added, pairs[0], pairs[1]


@pytest.mark.parametrize("splits", [(), ("train", "test")])
def test_one_folder_is_one_set(splits: tuple[str, ...], tmp_path: Path) -> None:
    folder = tmp_path / "set"
    for split in splits or ("",):
        fill(folder / split, "joy", "sadness")
    added, stored, measured = by_both(folder, tmp_path / "ws", PipelineConfig())
    assert stored == measured
    assert added.rows == len(stored) == 3
    assert "2 under several classes" in added.left_out or splits
    assert "1 not decodable (joy/broken.png)" in added.left_out or splits


def test_folders_of_any_built_in_taxonomy_count(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = fill(tmp_path / "set", "awe", "contentment", "serenity", "sadness")
    added, stored, measured = by_both(folder, tmp_path / "ws", PipelineConfig())
    assert stored == measured
    assert not added.folders_left_out
    assert "a class has no picture" not in caplog.text


def test_a_class_without_a_folder_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Folders named otherwise than the positive class count as the others: else unseen."""
    folder = fill(tmp_path / "set", "awe", "joy", "sadness")
    sad = PipelineConfig(binarize=BinarizeConfig(positive=("sad",)))
    by_both(folder, tmp_path / "ws", sad)
    said = "as no folder is named sad; those taken: awe, joy, sadness"
    assert said in caplog.text


def test_folders_that_are_no_class_are_named_and_a_taxonomy_takes_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = fill(tmp_path / "set", "joy", "gloom", "sadness")
    caplog.set_level(logging.INFO, "webemo_curate")
    added, stored, _ = by_both(folder, tmp_path / "ws", PipelineConfig())
    assert added.folders_left_out == {"gloom": 2}
    assert "2 in folders whose names are no class here (gloom: 2)" in caplog.text
    assert "--taxonomy" in caplog.text
    own = tmp_path / "own.yaml"
    own.write_text("labels: [gloom, glee]\n")
    config = PipelineConfig(listing=ListingConfig(taxonomy=str(own)))
    added, more, measured = by_both(folder, tmp_path / "ws", config)
    assert more == measured
    assert more > stored
    assert not added.folders_left_out


def test_a_set_of_no_picture_is_an_error_of_both(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    (folder / "joy").mkdir(parents=True)
    (folder / "joy" / "broken.png").write_bytes(b"no picture")
    work = work_on(Workspace(tmp_path / "ws"))
    said = r"none of its 1 files is a picture that counts \(1 not decodable \(joy/broken.png\)\)"
    with pytest.raises(InputError, match=said):
        add_folder(folder, "added", work)
    with pytest.raises(InputError, match=said):
        open_set(str(folder), work, DEFAULT_CLASSES)
    assert not (tmp_path / "ws" / "manifests" / "added.parquet").exists()
