"""Files are written to folders that stay open, wherever their paths lead meanwhile."""

import pickle
import resource
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from webemo_curate.errors import CurateError, InputError
from webemo_curate.storage.held_folders import HeldFolders


def test_a_file_is_written_to_a_folder_that_is_made(tmp_path: Path) -> None:
    folders = HeldFolders(tmp_path / "root")
    assert folders.size("a/b/x") is None
    folders.write("a/b/x", b"once")
    folders.write("a/b/x", b"again")
    assert (tmp_path / "root/a/b/x").read_bytes() == b"again"
    assert folders.size("a/b/x") == len(b"again")
    assert [file.name for file in (tmp_path / "root/a/b").iterdir()] == ["x"]


@pytest.mark.parametrize("key", ["../x", "a/../x", "a/..", "/x", "a//x", "a/", "a/x\0"])
def test_no_key_leads_out_of_the_root(tmp_path: Path, key: str) -> None:
    with pytest.raises(InputError, match="is no path below this folder"):
        HeldFolders(tmp_path / "root").write(key, b"x")
    assert not (tmp_path / "x").exists()


def test_a_link_on_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "root/a").mkdir(parents=True)
    (tmp_path / "root/a/b").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"root/a/b: is a link.*remove it"):
        HeldFolders(tmp_path / "root").write("a/b/x", b"x")
    assert not [*(tmp_path / "elsewhere").iterdir()]


def test_a_link_put_in_place_of_a_held_folder_is_not_followed(tmp_path: Path) -> None:
    folders = HeldFolders(tmp_path)
    folders.write("a/x", b"x")
    (tmp_path / "a").rename(tmp_path / "moved")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    folders.write("a/y", b"y")
    assert (tmp_path / "moved/y").read_bytes() == b"y"
    assert not [*(tmp_path / "elsewhere").iterdir()]


def test_a_removed_folder_is_made_anew(tmp_path: Path) -> None:
    folders = HeldFolders(tmp_path)
    folders.write("a/x", b"x")
    shutil.rmtree(tmp_path / "a")
    folders.write("a/y", b"y")
    assert (tmp_path / "a/y").read_bytes() == b"y"


def test_what_cannot_be_written_is_told_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "a/x").mkdir(parents=True)
    with pytest.raises(CurateError, match=r"a/x: cannot be written"):
        HeldFolders(tmp_path).write("a/x", b"x")
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["x"]


def test_another_process_opens_folders_of_its_own(tmp_path: Path) -> None:
    folders = HeldFolders(tmp_path)
    folders.write("a/x", b"x")
    copy = pickle.loads(pickle.dumps(folders))
    copy.write("b/y", b"y")
    assert (tmp_path / "b/y").read_bytes() == b"y"


def open_files() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


def test_few_folders_are_held_where_few_files_may_be_open(tmp_path: Path) -> None:
    """Threads that write meanwhile keep theirs; all are closed in the end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = open_files()
    keys = [f"{number % 50:02}/{number}" for number in range(400)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (before + 64, hard))
    try:
        folders = HeldFolders(tmp_path)
        with ThreadPoolExecutor(4) as pool:
            assert not any(pool.map(folders.write, keys, map(str.encode, keys)))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert all((tmp_path / key).read_bytes() == key.encode() for key in keys)
    del folders
    assert open_files() <= before
