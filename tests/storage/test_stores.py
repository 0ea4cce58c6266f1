"""What every store promises: keys hold whole files, whatever place holds the keys."""

import pickle
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest

from webemo_curate.storage.bucket import BucketStore
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore
from webemo_curate.storage.protocols import Store


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path / "workspace")
    return request.getfixturevalue("store")


def elsewhere(place: Store, tmp_path: Path) -> Store:
    """Return the same place as another machine sees it."""
    if isinstance(place, FolderStore):
        return FolderStore(place.root)
    return BucketStore(place.url, tmp_path / "other cache")


def test_what_is_written_is_read_everywhere(place: Store, tmp_path: Path) -> None:
    place.write("manifests/one.txt", b"first")
    place.write("manifests/one.txt", b"second")
    there = elsewhere(place, tmp_path)
    for store in (place, there, pickle.loads(pickle.dumps(place))):
        assert store.exists("manifests/one.txt")
        assert store.local("manifests/one.txt").read_bytes() == b"second"
        with store.open("manifests/one.txt") as stream:
            assert stream.read() == b"second"


def test_a_writer_that_fails_changes_nothing(place: Store, tmp_path: Path) -> None:
    place.write("a/file", b"old")
    with suppress(RuntimeError), place.writing("a/file") as path:
        path.write_bytes(b"half")
        raise RuntimeError
    assert elsewhere(place, tmp_path).local("a/file").read_bytes() == b"old"
    assert place.local("a/file").read_bytes() == b"old"


def test_keys_are_listed_and_removed_by_prefix(place: Store, tmp_path: Path) -> None:
    for key in ("a/b/1", "a/b/2", "a/c", "ab/1"):
        place.write(key, key.encode())
    there = elsewhere(place, tmp_path)
    assert there.keys("a") == ["a/b/1", "a/b/2", "a/c"]
    assert there.keys("nothing") == []
    place.remove("a/b")
    place.remove("a/nothing")
    place.remove("a/c")
    assert there.keys("a") == []
    assert there.keys("ab") == ["ab/1"]
    with pytest.raises(FileNotFoundError):
        place.local("a/c")
    with pytest.raises(FileNotFoundError):
        place.open("a/c")


def test_published_folders_are_pulled_as_they_are(place: Store, tmp_path: Path) -> None:
    folder = place.root / "runs" / "one"
    folder.mkdir(parents=True)
    (folder / "state").write_bytes(b"state")
    (folder / "log").write_bytes(b"1")
    place.publish("runs/one")
    there = elsewhere(place, tmp_path)
    assert (there.pull("runs/one") / "state").read_bytes() == b"state"
    (folder / "state").unlink()
    (folder / "log").write_bytes(b"12")
    place.publish("runs/one")
    pulled = elsewhere(place, tmp_path).pull("runs/one")
    assert {file.name: file.read_bytes() for file in pulled.iterdir()} == {"log": b"12"}


def test_checkpoints_come_back_under_their_names(place: Store, tmp_path: Path) -> None:
    table = pa.table({"value": [1, 2, 3]})
    Checkpoints(place, "data/checkpoints/x").save("part-1", table)
    there = Checkpoints(elsewhere(place, tmp_path), "data/checkpoints/x")
    assert there.finished() == {"part-1"}
    assert there.load("part-1").equals(table)
