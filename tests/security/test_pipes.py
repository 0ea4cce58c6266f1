"""Pipes and devices in place of files hang nobody, and none is written in place of."""

import os
import stat
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.command import curate
from tests.work import work_on
from webemo_curate.config import ListingConfig
from webemo_curate.errors import InputError
from webemo_curate.evaluation.evaluation_set import open_set
from webemo_curate.imaging import DecodeError, read_file
from webemo_curate.report.prediction_row import Panel, draw_row
from webemo_curate.rooted import (
    open_regular,
)
from webemo_curate.sources.resolve import find_sources
from webemo_curate.workspace import Workspace


@pytest.mark.timeout(60)
def test_pipes_and_devices_hang_nobody(workspace: Workspace) -> None:
    pipe = workspace.root / "data/images/pipe.png"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="no regular file"):
        workspace.images.read("data/images/pipe.png")
    with pytest.raises(OSError, match="no regular file"):
        open_regular(pipe)
    with pytest.raises(DecodeError):
        read_file(Path("/dev/zero"))
    for name in ("curate.yaml", "manifests/listing.parquet", "data/lock"):
        (workspace.root / name).unlink(missing_ok=True)
        os.mkfifo(workspace.root / name)
    with pytest.raises(InputError, match="neither a file nor a folder"):
        workspace.config()
    with pytest.raises(InputError, match="neither a file nor a folder"):
        workspace.read("listing")
    with pytest.raises(InputError, match="neither a file nor a folder"), workspace.lock():
        pass


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["train25.txt", "x.csv", "x.jsonl", "x.parquet", "x.txt", ""])
def test_pipes_and_devices_are_no_lists(tmp_path: Path, name: str) -> None:
    for pipe in ("train25.txt", "x.csv", "x.jsonl", "x.parquet", "x.txt"):
        os.mkfifo(tmp_path / pipe)
    for place in (tmp_path / name, Path("/dev/zero")):
        with pytest.raises(InputError, match="no regular file"):
            find_sources(ListingConfig(lists=[place]))


@pytest.mark.timeout(60)
def test_a_category_file_that_is_a_pipe_hangs_nobody(tmp_path: Path) -> None:
    (tmp_path / "test25.txt").write_text("http://a.example/1.jpg 3\n")
    os.mkfifo(tmp_path / "category.txt")
    with pytest.raises(InputError, match="no regular file"):
        find_sources(ListingConfig(lists=[tmp_path]))


@pytest.mark.timeout(60)
def test_a_set_that_is_a_pipe_hangs_nobody(workspace: Workspace) -> None:
    pipe = workspace.root / "set.parquet"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="not a sound"):
        open_set(str(pipe), work_on(workspace), ("others", "sadness"))


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "command", [("review", "--import"), ("run",), ("experiment",), ("show-augmentation",)]
)
def test_a_pipe_that_a_command_is_given_hangs_nobody(
    workspace: Workspace, tmp_path: Path, command: tuple[str, ...]
) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    said = curate(*command, pipe, "--workspace", workspace.root)
    assert said.code == 2, said
    assert str(pipe) in said.rest


def test_what_is_written_replaces_files_alone(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    link = tmp_path / "link"
    link.symlink_to("/dev/null")
    panel = Panel(Image.new("RGB", (8, 8)), "gray")
    for place in (pipe, link, Path("/dev/null"), tmp_path):
        with pytest.raises(InputError, match="name a file"):
            draw_row([panel], place)
    assert pipe.is_fifo()
    assert Path("/dev/null").is_char_device()
    draw_row([panel], tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size


def test_no_command_writes_in_place_of_a_device(
    trained: tuple[Workspace, Path], tmp_path: Path
) -> None:
    workspace, run = trained
    picture = next((workspace.root / "data/images").rglob("*.png"))
    node = tmp_path / "node"
    try:
        os.mknod(node, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except OSError:  # not as root: a pipe is refused by the same rule
        os.mkfifo(node)
    kind = stat.S_IFMT(node.stat().st_mode)
    for command in (
        ("predict", run.name, picture, "--figure", node),
        ("show-augmentation", picture, "--to", node),
        ("export-model", run.name, node),
        ("export", "csv", "--to", node),
    ):
        said = curate(*command, "--workspace", workspace.root)
        assert said.code == 2, (command, said)
        assert str(node) in said.rest
        assert stat.S_IFMT(node.lstat().st_mode) == kind
    assert not list(tmp_path.glob(".*"))
