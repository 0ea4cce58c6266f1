"""Nothing outside a workspace is read, written, deleted or truncated."""

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.stages.tables import manifest
from tests.work import work_on
from webemo_curate.errors import CurateError, InputError
from webemo_curate.manifest import Origin
from webemo_curate.report.build import build_report
from webemo_curate.rooted import ODD, below, is_plain, open_below, read_below
from webemo_curate.storage.atomic import atomic_path
from webemo_curate.storage.neighbor_files import NeighborReader
from webemo_curate.workspace import Workspace

ORIGIN = Origin("made up", 1, {}, {})
ODD_PATHS = ["/etc/passwd", "../private.png", "data/../../private.png", "", "data//x.png", "a/./b"]
CONTENT = b"the user's own"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Give a folder of the user's files beside the workspace."""
    folder = tmp_path / "own"
    (folder / "below").mkdir(parents=True)
    for name in ("one", "below/two", "lock"):
        (folder / name).write_bytes(CONTENT)
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def take_checkpoints(workspace: Workspace) -> None:
    workspace.checkpoints("fetch", "new")


def write_manifest(workspace: Workspace) -> None:
    workspace.write("listing", manifest("listing", []), ORIGIN)


def take_lock(workspace: Workspace) -> None:
    with workspace.lock():
        pass


def save_settings(workspace: Workspace) -> None:
    workspace.store.write("curate.yaml", b"{}")


def store_image(workspace: Workspace) -> None:
    workspace.store_image(b"an image", ".jpg")


def link_image(workspace: Workspace) -> None:
    file = workspace.root.parent / "picture.jpg"
    file.write_bytes(b"an image")
    workspace.link_image(b"an image", ".jpg", file)


@pytest.mark.parametrize(
    ("link", "work"),
    [
        ("data/checkpoints/fetch", take_checkpoints),
        ("data/checkpoints", take_checkpoints),
        ("data/checkpoints", lambda workspace: workspace.clear_checkpoints("below")),
        ("data", take_checkpoints),
        ("data/lock", take_lock),
        ("data", take_lock),
        ("manifests", write_manifest),
        ("data/images", store_image),
        ("data/images", link_image),
    ],
)
def test_a_link_in_a_workspace_costs_nobody_a_file(
    tmp_path: Path, outside: Path, link: str, work: Callable[[Workspace], None]
) -> None:
    before = files_of(outside)
    place = tmp_path / "ws" / link
    place.parent.mkdir(parents=True)
    place.symlink_to(outside / "lock" if link.endswith("lock") else outside)
    with pytest.raises(InputError, match="is a link"):
        work(Workspace(tmp_path / "ws"))
    assert files_of(outside) == before


@pytest.mark.parametrize("name", ["manifests/listing.parquet", "curate.yaml"])
def test_a_file_that_is_a_link_is_not_read_nor_written_through(
    tmp_path: Path, outside: Path, name: str
) -> None:
    place = tmp_path / "ws" / name
    place.parent.mkdir(parents=True)
    place.symlink_to(outside / "one")
    workspace = Workspace(tmp_path / "ws")
    with pytest.raises(InputError, match="is a link"):
        workspace.store.local(name)
    with pytest.raises(InputError, match="is a link"):
        workspace.store.write(name, b"ours")
    assert (outside / "one").read_bytes() == CONTENT


def test_the_workspace_itself_may_be_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    workspace = Workspace(tmp_path / "link")
    with workspace.lock():
        save_settings(workspace)
    assert (tmp_path / "real" / "curate.yaml").read_bytes() == b"{}"


@pytest.mark.parametrize("path", ODD_PATHS)
def test_paths_that_lead_out_of_a_workspace_are_refused_in_manifests(
    workspace: Workspace, path: str
) -> None:
    rows = workspace.read("test").to_pylist()
    rows[0]["path"] = path
    workspace.write("test", pa.Table.from_pylist(rows), ORIGIN)
    with pytest.raises(InputError, match=r"test\.parquet: .*row 1: path"):
        workspace.read("test", ["path"])


@pytest.mark.parametrize("path", [*ODD_PATHS, "a/..", "..", ".", "a\0b", "/"])
def test_odd_keys_are_no_keys(tmp_path: Path, path: str) -> None:
    assert not is_plain(path)
    with pytest.raises(InputError):
        below(tmp_path, path)
    with pytest.raises(OSError, match="no path below"):
        open_below(tmp_path, path)


def test_a_temporary_file_is_nobody_elses(tmp_path: Path, outside: Path) -> None:
    (tmp_path / "target").symlink_to(outside / "one")
    with atomic_path(tmp_path / "target") as partial:
        partial.write_bytes(b"ours")
    assert (outside / "one").read_bytes() == CONTENT
    assert (tmp_path / "target").read_bytes() == b"ours"


def test_a_picture_whose_bytes_were_changed_is_not_shown(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    picture = tmp_path / "picture.png"
    Image.new("RGB", (32, 32), "red").save(picture)
    sha256 = workspace.store_image(picture.read_bytes(), ".png")
    path = workspace.image_path(sha256, ".png")
    assert workspace.read_image(path) == picture.read_bytes()
    Image.new("RGB", (32, 32), "blue").save(tmp_path / path)
    with pytest.raises(OSError, match="other bytes"):
        workspace.read_image(path)


def test_a_picture_whose_bytes_were_changed_is_not_trained_on(workspace: Workspace) -> None:
    from tests.trainable import TINY
    from webemo_curate.training.fit import pack_splits

    path = workspace.read("train", ["path"])["path"][3].as_py()
    Image.new("RGB", (40, 40), "blue").save(workspace.root / path)
    with pytest.raises(CurateError, match="other bytes"):
        pack_splits(TINY, work_on(workspace))


def test_a_link_in_place_of_a_picture_is_not_shown(workspace: Workspace, outside: Path) -> None:
    path = workspace.read("train", ["path"])["path"][0].as_py()
    (workspace.root / path).unlink()
    (workspace.root / path).symlink_to(outside / "one")
    with pytest.raises(OSError, match=r"symbolic link|Too many"):
        workspace.read_image(path)
    assert CONTENT.decode() not in Path(build_report(work_on(workspace))).read_text()


@given(st.text("./a\0\n", max_size=9))
def test_columns_of_paths_are_searched_by_the_rule_of_one_path(path: str) -> None:
    (odd,) = pc.match_substring_regex(pa.array([path]), ODD).to_pylist()
    assert is_plain(path) is not odd


def test_neighbors_are_read_as_each_by_itself(tmp_path: Path, outside: Path) -> None:
    root = tmp_path / "root"
    for key in ("a/1", "a/2", "b/1", "top"):
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(key.encode())
    (root / "c").symlink_to(outside)
    (root / "b" / "link").symlink_to(outside / "one")
    (root / "a" / "empty").touch()
    os.mkfifo(root / "b" / "pipe")
    before = len([*Path("/proc/self/fd").iterdir()])
    with NeighborReader(root) as files:
        for key in ("a/1", "a/2", "b/1", "a/1", "top", "a/2"):
            assert files.read(key) == read_below(root, key) == key.encode()
        assert files.read("a/empty") == b""
        for away in ("c/one", "b/link", "b/pipe", "../root/top", "none/1", "a/3", "a"):
            with pytest.raises(OSError, match=r"."):
                files.read(away)
            assert files.read("b/1") == b"b/1"
    assert len([*Path("/proc/self/fd").iterdir()]) == before
