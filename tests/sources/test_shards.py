"""The tables of img2dataset take the pictures beside them, from files and from shards."""

import io
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sources.reading import URL, rows
from webemo_curate.config import ListingConfig
from webemo_curate.errors import InputError
from webemo_curate.sources.resolve import find_sources


def img2dataset(folder: Path) -> Path:
    """Write a table of img2dataset's: one picture came, one did not."""
    folder.mkdir()
    table = {
        "url": [URL.format(n) for n in range(2)],
        "key": ["000000000", "000000001"],
        "status": ["success", "failed_to_download"],
        "caption": ["x", "y"],
    }
    pq.write_table(pa.table(table), folder / "00000.parquet")
    (folder / "00000_stats.json").write_text("{}")
    return folder


def write_tar(tar: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(tar, "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize("form", ["files", "webdataset"])
@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_img2dataset_tables_take_the_pictures_beside_them(
    form: str, suffix: str, tmp_path: Path
) -> None:
    out = img2dataset(tmp_path / "out")
    assert [row["file"] for row in rows(out)] == [None, None]
    members = {"000000000.json": b"{}", "000000000.txt": b"x", f"000000000{suffix}": b"bytes"}
    if form == "files":
        (out / "00000").mkdir()
        for name, content in members.items():
            (out / "00000" / name).write_bytes(content)
    else:
        write_tar(out / "00000.tar", members)
    files = [row["file"] for row in rows(out)]
    assert files == [f"00000/000000000{suffix}", f"00000/000000001{suffix}"]
    (source,) = find_sources(ListingConfig(source=(out,)))
    found = {
        file: picture.read_bytes() if isinstance(picture, Path) else picture
        for file, picture in source.pictures(files)
        if not isinstance(picture, Path) or picture.exists()
    }
    assert found == {files[0]: b"bytes"}


def test_shards_that_are_not_read_are_named(tmp_path: Path) -> None:
    out = img2dataset(tmp_path / "out")
    (out / "00000.tfrecord").write_bytes(b"x")
    with pytest.raises(InputError, match=r"00000\.tfrecord: is not read; let img2dataset write"):
        rows(out)
    (out / "00000.tfrecord").unlink()
    (out / "00000.tar").write_bytes(b"no tar" * 200)
    with pytest.raises(InputError, match=r"00000\.tar: no sound tar"):
        rows(out)
    write_tar(out / "00000.tar", {"a.txt": b"x"})
    with pytest.raises(InputError, match=r"00000\.tar: is an archive; unpack it and name"):
        rows(out / "00000.tar")
