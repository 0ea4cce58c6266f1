"""A file appears whole or not at all, whatever happens while it is written."""

from pathlib import Path

import pytest

from webemo_curate.errors import CurateError
from webemo_curate.storage.atomic import atomic_path, write_bytes


def test_a_file_appears_with_its_last_byte(tmp_path: Path) -> None:
    target = tmp_path / "new" / "file.bin"
    with atomic_path(target) as partial:
        partial.write_bytes(b"whole")
        assert not target.exists()
        assert partial.parent == target.parent
    assert target.read_bytes() == b"whole"
    assert [path.name for path in target.parent.iterdir()] == ["file.bin"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_write_that_breaks_off_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    target = tmp_path / "file.bin"
    write_bytes(target, b"old")

    def interrupted() -> None:
        with atomic_path(target) as partial:
            partial.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        interrupted()
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file.bin"]


def test_a_folder_that_cannot_be_made_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CurateError, match=r"file/below\.bin"):
        write_bytes(tmp_path / "file" / "below.bin", b"x")
