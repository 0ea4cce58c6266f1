"""Which files of a folder are taken, and the message on what is not."""

import logging
import os
import shutil
from pathlib import Path

import pytest

from tests.download.site import picture
from tests.e2e.conftest import curate
from webemo_curate.config import ListingConfig, PipelineConfig
from webemo_curate.errors import InputError
from webemo_curate.sources.folder_walk import MAX_FILE_BYTES, LeftOut, regular_files
from webemo_curate.sources.folders import folder_names, list_pictures, read_folder
from webemo_curate.sources.labels import LabelReader
from webemo_curate.sources.picture_folder import FolderSource
from webemo_curate.sources.source import BadRows, ReadOptions
from webemo_curate.workspace import Workspace

SADNESS = folder_names(["others", "sadness"], PipelineConfig(), ())


def fill(folder: Path) -> None:
    """Make three pictures, and all that is no picture or hard to reach."""
    joy = folder / "joy"
    (joy / "more").mkdir(parents=True)
    (joy / "a.jpg").write_bytes(b"a")
    (joy / "more" / "b.jpg").write_bytes(b"b")
    for name in (".ipynb_checkpoints", "@eaDir", "__MACOSX", "$RECYCLE.BIN", ".trash"):
        (joy / name).mkdir()
        (joy / name / "x.jpg").write_bytes(b"x")
    for name in ("Thumbs.db", ".DS_Store", "desktop.ini"):
        (joy / name).write_bytes(b"x")
    os.mkfifo(joy / "pipe.jpg")
    (joy / "dead.jpg").symlink_to("nowhere.jpg")
    (joy / "loop").symlink_to(folder)
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "c.jpg").write_bytes(b"c")
    (joy / "linked").symlink_to(outside)
    Path(os.fsdecode(os.fsencode(joy) + b"/Mu\xf1oz.jpg")).write_bytes(b"x")


def listed(folder: Path) -> list[str]:
    """List a folder as the listing stage does: its digest first, then its rows."""
    source = FolderSource(folder)
    assert source.digest()
    reading = ReadOptions(ListingConfig(), LabelReader(None), BadRows(skip=False))
    return [file for batch in source.batches(reading) for file in batch["file"].to_pylist()]


@pytest.mark.parametrize("command", ["add-folder and evaluate", "dedup --against", "--source"])
def test_the_same_files_are_taken_and_the_same_words_said(
    command: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "set"
    fill(folder)
    caplog.set_level(logging.INFO, "webemo_curate")
    if "source" in command:
        names = listed(folder)
    else:
        table = list_pictures(folder) if "dedup" in command else read_folder(folder, SADNESS)
        names = [path.rpartition("/set/")[2] for path in table["path"].to_pylist()]
    assert names == ["joy/a.jpg", "joy/linked/c.jpg", "joy/more/b.jpg"]
    (message,) = [said for said in caplog.messages if ": 3 files" in said]
    for words in (
        "3 files",
        "1 a folder that is taken already (joy/loop)",
        "1 a link to nothing (joy/dead.jpg)",
        "1 a name that is not UTF-8 (joy/Mu\\xf1oz.jpg)",
        "8 hidden or of the system (joy/$RECYCLE.BIN, joy/.DS_Store, joy/.ipynb_checkpoints, ...)",
        "1 no regular file (joy/pipe.jpg)",
        "links followed: joy/linked",
    ):
        assert words in message


def test_a_workspace_among_its_pictures_is_none_of_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "joy").mkdir()
    (tmp_path / "joy" / "1.jpg").write_bytes(picture(1))
    for _ in range(2):
        curate("fetch", "--source", tmp_path, "--workspace", tmp_path)
        assert Workspace(tmp_path).read("listing")["file"].to_pylist() == ["joy/1.jpg"]
    caplog.set_level(logging.INFO, "webemo_curate")
    assert listed(tmp_path) == ["joy/1.jpg"]
    assert "of a workspace (curate.yaml, data, manifests)" in caplog.text
    assert listed(tmp_path / "data" / "images")  # which somebody may want


def test_a_link_to_another_class_takes_nothing_from_it(tmp_path: Path) -> None:
    for name in ("joy", "sadness"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.jpg").write_bytes(name.encode())
    (tmp_path / "joy" / "more").symlink_to(tmp_path / "sadness")
    (tmp_path / "anger").symlink_to(tmp_path / "sadness")
    table = read_folder(tmp_path, SADNESS)
    assert table["path"].to_pylist() == ["joy/joy.jpg", "sadness/sadness.jpg"]


def test_folders_may_be_nested_deeper_than_calls(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*"d" * 700)
    deep.mkdir(parents=True)
    (deep / "a.jpg").write_bytes(b"a")
    left_out = LeftOut()
    assert [file.name for file in regular_files(tmp_path, left_out)] == ["a.jpg"]
    shutil.rmtree(tmp_path / "d")  # pytest cannot


def test_a_class_folder_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.jpg").write_bytes(b"a")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "Sadness").symlink_to(tmp_path / "real")
    table = read_folder(tmp_path / "set", SADNESS)
    assert table.select(["path", "target"]).to_pylist() == [{"path": "Sadness/a.jpg", "target": 1}]


def test_a_folder_of_nothing_that_counts_says_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    with pytest.raises(InputError, match=r"holds no file.*1 hidden or of the system \(Thumbs.db\)"):
        list_pictures(tmp_path)


def test_a_folder_whose_own_path_is_not_utf8_is_said(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/Mu\xf1oz"))
    (folder / "joy").mkdir(parents=True)
    (folder / "joy" / "a.jpg").write_bytes(b"a")
    assert read_folder(folder, folder_names(["others", "joy"], PipelineConfig(), ()))[
        "path"
    ].to_pylist() == ["joy/a.jpg"]
    with pytest.raises(InputError, match=r"Mu\\xf1oz: its path is not UTF-8; rename"):
        list_pictures(folder)
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert list_pictures(link)["path"].to_pylist() == [str(link / "joy" / "a.jpg")]


def test_a_file_over_the_bound_is_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a")
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    left_out = LeftOut()
    assert [file.name for file in regular_files(tmp_path, left_out)] == ["a.jpg"]
    assert left_out.summary() == "left out: 1 too large (huge.jpg)"
