"""Images of a workspace: one file each in a folder, shards of many on an object store."""

import hashlib
import pickle
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.storage.server import Faulty
from webemo_curate.errors import InputError
from webemo_curate.storage import image_shards
from webemo_curate.storage.bucket import BucketStore
from webemo_curate.storage.folder import FolderStore
from webemo_curate.storage.image_files import ImageFiles
from webemo_curate.storage.image_shards import SHARDS, ImageShards
from webemo_curate.storage.protocols import ImageStore
from webemo_curate.workspace import Workspace, image_path

CONTENTS = [bytes([n]) * (n * 37 % 600 + 1) for n in range(25)]


def name(content: bytes) -> str:
    return image_path(hashlib.sha256(content).hexdigest(), ".jpg")


def fill(images: ImageStore, contents: list[bytes]) -> None:
    for content in contents:
        images.add(content, name(content))


@pytest.fixture(params=["folder", "bucket"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    place = tmp_path if request.param == "folder" else request.getfixturevalue("store")
    return Workspace(place)


def test_images_are_read_back_before_and_after_they_settle(workspace: Workspace) -> None:
    fill(workspace.images, CONTENTS)
    for _ in range(2):
        for content in CONTENTS:
            assert workspace.read_image(name(content)) == content
            assert workspace.images.holds(name(content), len(content))
        workspace.settle()


def test_what_is_added_again_stands_in_for_what_was_damaged(workspace: Workspace) -> None:
    fill(workspace.images, CONTENTS)
    workspace.settle()
    workspace.images = type(workspace.images)(getattr(workspace.images, "store", workspace.root))
    _damage(workspace, CONTENTS[3])
    assert not workspace.holds_image(Path(name(CONTENTS[3])).stem, ".jpg")
    fill(workspace.images, CONTENTS)
    workspace.settle()
    again = Workspace(workspace.store if workspace.store.keys(SHARDS) else workspace.root)
    for content in CONTENTS:
        assert again.read_image(name(content)) == content


def _damage(workspace: Workspace, content: bytes) -> None:
    """Change a byte of an image where it lies."""
    keys = [key for key in workspace.store.keys("data") if key.endswith((".jpg", ".tar"))]
    for key in keys:
        whole = workspace.store.local(key).read_bytes()
        if content in whole and (key.endswith(".tar") or key == name(content)):
            changed = bytes([content[0] ^ 1]) + content[1:]
            workspace.store.write(key, whole.replace(content, changed, 1))


def test_another_process_reads_them_by_place(workspace: Workspace, tmp_path: Path) -> None:
    fill(workspace.images, CONTENTS)
    workspace.settle()
    paths = pa.array([name(content) for content in CONTENTS] + [str(tmp_path / "outside")])
    (tmp_path / "outside").write_bytes(b"a file of the user")
    places = workspace.images.places(paths).to_pylist()
    reader = pickle.loads(pickle.dumps(workspace.reader))
    assert [reader.read(place) for place in places] == [*CONTENTS, b"a file of the user"]
    with pytest.raises(OSError, match="No such file"):
        reader.read(workspace.images.places(pa.array([name(b"never stored")]))[0].as_py())


def test_a_scan_costs_a_request_a_shard(
    store: BucketStore, s3: Faulty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_shards, "SHARD_IMAGES", 10)
    photos = [content * 300 for content in CONTENTS]  # a shard is larger than any read-ahead
    images = ImageShards(store)
    fill(images, photos)
    images.settle()
    there = ImageShards(BucketStore(store.url, tmp_path / "other"))
    places = sorted(there.places(pa.array([name(photo) for photo in photos])).to_pylist())
    s3.requests.clear()
    assert sorted(there.reader.read(place) for place in places) == sorted(photos)
    asked = [line for line in s3.requests if line.startswith("GET")]
    assert len(asked) == 3
    assert len(set(asked)) == 3


def test_a_shard_is_an_ordinary_tar_file(store: BucketStore) -> None:
    images = ImageShards(store)
    fill(images, CONTENTS)
    images.settle()
    (key,) = [key for key in store.keys(SHARDS) if key.endswith(".tar")]
    with tarfile.open(store.local(key)) as tar:
        found = {member.name: tar.extractfile(member).read() for member in tar}
    assert found == {Path(name(content)).name: content for content in CONTENTS}


@given(
    span=st.one_of(
        st.text(max_size=12),
        st.from_regex(r"-?[0-9]{1,25}\+-?[0-9]{1,25}", fullmatch=True),
        st.sampled_from(["x", "1", "1+", "+1", "\u0661+\u0662", "1+2+3", "0+99999999999"]),
    ),
    key=st.sampled_from(["SHARD", "data/shards/none.tar", "../../etc/passwd", ""]),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_place_that_names_no_part_of_a_shard_is_a_missing_file(
    store: BucketStore, span: str, key: str
) -> None:
    images = ImageShards(store)
    if not store.keys(SHARDS):
        fill(images, CONTENTS)
        images.settle()
    (shard,) = [each for each in store.keys(SHARDS) if each.endswith(".tar")]
    place = f"{shard if key == 'SHARD' else key}#{span}"
    try:
        content = images.reader.read(place)
    except (OSError, InputError):
        return
    assert key == "SHARD"
    assert content in store.local(shard).read_bytes()


@pytest.mark.parametrize("column", ["name", "offset", "size"])
def test_an_index_that_lacks_a_value_is_one_error(store: BucketStore, column: str) -> None:
    images = ImageShards(store)
    fill(images, CONTENTS)
    images.settle()
    (key,) = [each for each in store.keys(SHARDS) if each.endswith(".parquet")]
    index = pq.read_table(store.local(key))
    place = index.column_names.index(column)
    values = [None, *index[column].to_pylist()[1:]]
    changed = index.set_column(place, column, pa.array(values, index.schema.field(column).type))
    sink = pa.BufferOutputStream()
    pq.write_table(changed, sink)
    store.write(key, sink.getvalue().to_pybytes())
    with pytest.raises(InputError, match="not a sound index of a shard"):
        ImageShards(store).holds(name(CONTENTS[0]), None)


def test_a_shard_without_index_is_swept_and_its_images_come_again(
    store: BucketStore, tmp_path: Path
) -> None:
    images = ImageShards(store)
    fill(images, CONTENTS)
    images.settle()
    (index,) = [key for key in store.keys(SHARDS) if key.endswith(".parquet")]
    store.remove(index)  # as if the machine had died between shard and index
    there = ImageShards(BucketStore(store.url, tmp_path / "other"))
    assert not there.holds(name(CONTENTS[0]), None)
    there.sweep()
    assert store.keys(SHARDS) == []
    fill(there, CONTENTS)
    there.settle()
    again = Workspace(BucketStore(store.url, tmp_path / "third"))
    assert [again.read_image(name(content)) for content in CONTENTS] == CONTENTS


def test_images_staged_by_a_killed_process_are_packed_by_the_next(store: BucketStore) -> None:
    fill(ImageShards(store), CONTENTS)
    after = ImageShards(BucketStore(store.url, store.root.parent))
    assert after.holds(name(CONTENTS[0]), len(CONTENTS[0]))
    after.settle()
    assert len(store.keys(SHARDS)) == 2


def test_a_torn_staged_image_is_written_again(store: BucketStore) -> None:
    images, content = ImageShards(store), CONTENTS[3]
    images.add(content, name(content))
    (staged,) = (store.root / image_shards.STAGED).iterdir()
    staged.write_bytes(bytes(len(content)))
    images.add(content, name(content))
    assert staged.read_bytes() == content


def test_the_cache_stays_within_its_bound(
    store: BucketStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_shards, "SHARD_IMAGES", 5)
    images = ImageShards(store)
    fill(images, CONTENTS)
    images.settle()
    size = max(store.local(key).stat().st_size for key in store.keys(SHARDS))
    monkeypatch.setattr("webemo_curate.storage.bucket.CACHE_BYTES", 2 * size)
    there = Workspace(BucketStore(store.url, tmp_path / "small"))
    for _ in range(2):
        for content in CONTENTS:
            assert there.read_image(name(content)) == content
            held = (there.root / SHARDS).iterdir()
            assert sum(file.stat().st_size for file in held) <= 2 * size


@settings(max_examples=20, deadline=None)
@given(contents=st.lists(st.binary(min_size=1, max_size=2000), unique=True, max_size=12))
def test_any_bytes_come_back(
    contents: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Shards in a folder: what is asked of them is no other than on an object store."""
    store = FolderStore(tmp_path_factory.mktemp("shards"))
    images = ImageShards(store)
    fill(images, contents)
    images.settle()
    fresh = ImageShards(store)
    places = fresh.places(pa.array([name(content) for content in contents], pa.string()))
    assert [fresh.reader.read(place) for place in places.to_pylist()] == contents


def test_a_folders_images_are_files_of_their_own(tmp_path: Path) -> None:
    images = ImageFiles(tmp_path)
    fill(images, CONTENTS)
    images.settle()
    for content in CONTENTS:
        assert (tmp_path / name(content)).read_bytes() == content
