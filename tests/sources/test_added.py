"""`curate add-folder` takes a folder-per-emotion set in, and says what it leaves out."""

import json
import os
from pathlib import Path

import pytest

from tests.e2e.conftest import curate
from tests.ocr.pictures import scene, with_words
from tests.trainable import draw
from tests.work import work_on
from webemo_curate.errors import InputError
from webemo_curate.sources.added import add_folder
from webemo_curate.workspace import Workspace


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    import numpy as np

    generator = np.random.default_rng(0)
    place = tmp_path / "Emotion-6"
    for number in range(3):
        draw(place / "sadness" / f"{number}.png", 1, generator)
        draw(place / "joy" / f"{number}.png", 0, generator)
    return place


def copy(folder: Path, source: str, target: str) -> None:
    (folder / target).parent.mkdir(exist_ok=True)
    (folder / target).write_bytes((folder / source).read_bytes())


def test_images_are_stored_by_content_and_listed(folder: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "ws"
    output = curate("add-folder", folder, "--name", "emotion6", "--workspace", workspace)

    assert "6 images in" in output
    rows = _rows(workspace, "emotion6")
    assert sorted(row["target"] for row in rows) == [0, 0, 0, 1, 1, 1]
    for row in rows:
        stored = (workspace / row["path"]).read_bytes()
        assert stored == (folder / row["url"]).read_bytes()
        assert (row["width"], row["height"]) == (40, 40)


def test_copies_conflicts_and_broken_files_are_counted(folder: Path, tmp_path: Path) -> None:
    copy(folder, "joy/0.png", "joy/again.png")
    copy(folder, "joy/1.png", "love/other.png")
    copy(folder, "joy/2.png", "sadness/both.png")
    (folder / "joy" / "broken.png").write_bytes(b"no image")

    added = add_folder(folder, "emotion6", work_on(Workspace(tmp_path / "ws")))

    assert (added.rows, added.repeated, added.conflicting) == (5, 2, 2)
    assert set(added.broken) == {"joy/broken.png"}
    rows = _rows(tmp_path / "ws", "emotion6")
    assert ["joy", "love"] in [row["labels"] for row in rows]


@pytest.mark.slow
def test_images_that_bear_text_are_left_out_on_request(folder: Path, tmp_path: Path) -> None:
    with_words("HELLO WORLD").save(folder / "joy" / "words.png")
    scene().save(folder / "joy" / "scene.png")
    command = ["add-folder", folder, "--workspace", tmp_path / "ws", "--name"]
    assert "8 images in" in curate(*command, "whole")
    output = curate(*command, "clean", "--filter-text", "--json")
    taken = json.loads(output.splitlines()[-1])
    assert taken["text"] == {"text": 1}
    assert taken["rows"] == 7
    assert "left out: 1 bearing text" in output
    kept = {row["url"] for row in _rows(tmp_path / "ws", "clean")}
    assert "joy/scene.png" in kept
    assert "joy/words.png" not in kept


def test_what_is_not_taken_is_counted_in_json_too(folder: Path, tmp_path: Path) -> None:
    (folder / "joy" / "Thumbs.db").write_bytes(b"x")
    (folder / "notes.txt").write_bytes(b"x")
    Path(os.fsdecode(os.fsencode(folder) + b"/joy/Mu\xf1oz.jpg")).write_bytes(b"x")
    arguments = ("--name", "emotion6", "--workspace", tmp_path / "ws", "--json")
    told = json.loads(curate("add-folder", folder, *arguments).splitlines()[-1])
    assert told["rows"] == 6
    assert told["not_taken"] == {
        "a name that is not UTF-8": 1,
        "hidden or of the system": 1,
        "outside the folders of the classes": 1,
    }


@pytest.mark.parametrize("name", ["../x", "Train", "train", "shared-x", ""])
def test_impossible_names_are_refused(name: str, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--name"):
        add_folder(folder, name, work_on(Workspace(tmp_path / "ws")))


def _rows(workspace: Path, name: str) -> list[dict[str, object]]:
    from webemo_curate.manifest import read_manifest
    from webemo_curate.verdicts import Split

    return read_manifest(workspace / "manifests" / f"{name}.parquet", Split.TEST).to_pylist()
