"""What every export keeps to, whatever its form."""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.e2e.conftest import CURATE
from tests.exports.conftest import Export, Rows, write_export
from tests.exports.shared_set import fill
from webemo_curate.config import ExportConfig, ExportFormat
from webemo_curate.errors import CurateError, InputError
from webemo_curate.exports.export import export
from webemo_curate.exports.safe_names import MAX_BYTES, folder_names
from webemo_curate.exports.tar_stream import TarWriter
from webemo_curate.manifest import Origin
from webemo_curate.workspace import Workspace, open_workspace

FORMS = [str(form) for form in ExportFormat]


def files_of(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, hidden ones too."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.mark.parametrize("form", FORMS)
def test_the_same_command_gives_the_same_bytes(exported: Export, form: str) -> None:
    first, second = (files_of(exported(form, name, shard_images=6)) for name in ("a", "b"))
    assert first
    assert first == second


@pytest.mark.parametrize("form", FORMS)
def test_an_export_counts_the_pictures_that_it_wrote(
    shared: Workspace, rows: Rows, tmp_path: Path, form: str
) -> None:
    settings = ExportConfig(license="mit", shard_images=6)
    counts = export(shared, ExportFormat(form), tmp_path / "set", settings).images
    counts.pop("dropped", None)
    assert counts == {split: len(pictures) for split, pictures in rows.items()}


def test_a_bucket_gives_the_bytes_of_a_folder(exported: Export, url: str, tmp_path: Path) -> None:
    there = fill(open_workspace(url))
    for form in FORMS:
        write_export(there, form, tmp_path / f"{form} there", license="cc-by-4.0")
        assert files_of(tmp_path / f"{form} there") == files_of(exported(form, form))


def test_some_splits_alone(exported: Export, rows: Rows) -> None:
    folder = exported("webdataset", splits="test,train")
    sizes = json.loads((folder / "sizes.json").read_text())
    assert sizes == {
        "test-00000.tar": len(rows["test"]),
        "train-00000.tar": len(rows["train"]),
    }


def test_rows_are_ordered_by_content_so_that_classes_mix(exported: Export, rows: Rows) -> None:
    with tarfile.open(exported("webdataset") / "train-00000.tar") as tar:
        hashes = [name.partition(".")[0] for name in tar.getnames()][::2]
    assert hashes == sorted(one["sha256"] for one in rows["train"])
    targets = [one["target"] for one in rows["train"]]
    assert len({tuple(targets[start : start + 2]) for start in range(len(targets) - 1)}) > 2


def test_tar_files_carry_no_time_and_no_user(exported: Export) -> None:
    with tarfile.open(exported("webdataset") / "train-00000.tar") as tar:
        members = tar.getmembers()
    assert {(one.mtime, one.uid, one.gid, one.uname, one.mode) for one in members} == {
        (0, 0, 0, "", 0o644)
    }


def test_a_card_wants_a_license_in_the_users_words(shared: Workspace, tmp_path: Path) -> None:
    for form in (ExportFormat.HUGGINGFACE, ExportFormat.CROISSANT):
        with pytest.raises(InputError, match=r"--license: .* none is assumed"):
            export(shared, form, tmp_path / "out", ExportConfig())
    words = "as the lists' authors say"
    write_export(shared, "croissant", tmp_path / "out", license=words)
    assert json.loads((tmp_path / "out" / "croissant.json").read_text())["license"] == words
    card = (tmp_path / "out" / "README.md").read_text()
    assert f"License: {words}. The pictures belong to their owners." in card


def test_classes_and_labels_come_from_the_manifests_however_they_are_named(
    own: Workspace, tmp_path: Path
) -> None:
    classes = ("../../etc", "a/b", "A_B", "<script>|`", "CON", "")
    table = own.read("train")
    targets = pa.array([row % len(classes) for row in range(table.num_rows)], pa.int8())
    labels = pa.array(['"evil": |\n- x' for _ in range(table.num_rows)])
    table = table.set_column(table.schema.get_field_index("target"), "target", targets)
    table = table.set_column(table.schema.get_field_index("label"), "label", labels)
    own.write("train", table, Origin("split", 1, {}, {}), classes)
    write_export(own, "imagefolder", tmp_path / "out", splits="train")
    below = {file.parent.relative_to(tmp_path / "out") for file in (tmp_path / "out").rglob("*.*g")}
    assert below == {Path("train", name) for name in folder_names(classes)}
    write_export(own, "huggingface", tmp_path / "card", splits="train")
    (file,) = (tmp_path / "card" / "data").iterdir()
    described = json.loads(pq.read_schema(file).metadata[b"huggingface"])["info"]["features"]
    assert described["target"]["names"] == list(classes)
    assert "<script>" not in (tmp_path / "card" / "README.md").read_text().split("---\n")[2]


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "data/images/../../../x.jpg", "data/images/aa/b.jpg"]
)
def test_a_path_that_names_another_file_is_refused(
    own: Workspace, tmp_path: Path, path: str
) -> None:
    table = own.read("train")
    paths = pa.array([path, *table["path"].to_pylist()[1:]])
    table = table.set_column(table.schema.get_field_index("path"), "path", paths)
    own.write("train", table, Origin("split", 1, {}, {}), ("others", "sadness"))
    with pytest.raises(InputError, match="is no path of the image of its row"):
        write_export(own, "webdataset", tmp_path / "out")


def test_hard_links_share_the_file_and_symbolic_links_are_not_passed_on(
    own: Workspace, tmp_path: Path
) -> None:
    paths = own.read("train")["path"].to_pylist()
    write_export(own, "imagefolder", tmp_path / "out")
    found = {file.name: file for file in (tmp_path / "out" / "train").rglob("*.*g")}
    assert all(found[Path(path).name].samefile(own.root / path) for path in paths)
    shutil.move(own.root / paths[0], tmp_path / "moved")
    (own.root / paths[0]).symlink_to(tmp_path / "moved")
    with pytest.raises(CurateError, match=f"{paths[0]}: the picture is missing"):
        write_export(own, "imagefolder", tmp_path / "again")


def test_the_command_says_what_it_wrote(shared: Workspace, tmp_path: Path, rows: Rows) -> None:
    done = subprocess.run(
        [
            *(CURATE, "export", "csv", "--to", tmp_path / "out", "--splits", "test"),
            *("--workspace", shared.root, "--json"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["images"] == {"test": len(rows["test"])}
    assert f"test {len(rows['test'])} images" in done.stderr


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=120), max_size=4))
def test_folder_names_are_safe_and_distinct(names: list[str]) -> None:
    made = folder_names(names)
    assert len({name.casefold() for name in made}) == len(names)
    for name in made:
        assert name
        assert not name.startswith((".", "-"))
        assert not set(name) & set('/\\:*?"<>|\0')
        assert name.isprintable()
        assert len(name.encode()) <= MAX_BYTES + 20


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=2000), max_size=5))
def test_python_reads_what_the_tar_writer_wrote(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]
) -> None:
    file = tmp_path_factory.mktemp("tar") / "a.tar"
    with TarWriter(file) as tar:
        for number, content in enumerate(contents):
            tar.add(f"{number}.bin", content)
    with tarfile.open(file, "r:") as read:
        members = [(member.name, read.extractfile(member)) for member in read.getmembers()]
        found = [(name, stream.read()) for name, stream in members if stream]
    assert found == [(f"{number}.bin", content) for number, content in enumerate(contents)]
    assert file.stat().st_size % 10240 == 0
