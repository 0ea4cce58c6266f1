"""What every export keeps to, whatever its form."""

import hashlib
import json
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.download.site import answer, picture, running
from tests.exports.conftest import Export, Rows
from tests.exports.shared_set import fill
from webemo_curate.config import ExportConfig, ExportFormat, PipelineConfig, override
from webemo_curate.errors import CurateError, InputError
from webemo_curate.exports.checked_pictures import Pictures
from webemo_curate.exports.export import export
from webemo_curate.exports.safe_names import MAX_BYTES, folder_names
from webemo_curate.exports.tar_stream import TarWriter
from webemo_curate.manifest import Origin
from webemo_curate.pipeline import Pipeline
from webemo_curate.storage.whole_folder import whole_folder
from webemo_curate.workspace import Workspace, image_path, open_workspace

FORMS = [str(form) for form in ExportFormat]
WITH_PICTURES = [form for form in FORMS if form != "csv"]
CURATE = Path(sys.executable).with_name("curate")


def files_of(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, hidden ones too."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.fixture
def own(tmp_path: Path) -> Workspace:
    """A workspace that a test may spoil."""
    return fill(Workspace(tmp_path / "own"))


def write(workspace: Workspace, form: str, folder: Path, **settings: object) -> None:
    config = ExportConfig.model_validate({"license": "mit"} | settings)
    export(workspace, ExportFormat(form), folder, config)


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


@pytest.mark.parametrize("form", ["huggingface", "webdataset"])
def test_a_bucket_gives_the_bytes_of_a_folder(
    exported: Export, url: str, tmp_path: Path, form: str
) -> None:
    there = fill(open_workspace(url))
    write(there, form, tmp_path / "there", license="cc-by-4.0")
    assert files_of(tmp_path / "there") == files_of(exported(form))


@pytest.mark.parametrize("form", WITH_PICTURES)
@pytest.mark.parametrize("fault", ["missing", "changed"])
def test_a_missing_or_changed_picture_ends_the_export_and_is_named(
    own: Workspace, tmp_path: Path, form: str, fault: str
) -> None:
    path = own.read("validation")["path"][2].as_py()
    file = own.root / path
    if fault == "missing":
        file.unlink()
    else:
        file.write_bytes(bytes(file.stat().st_size))
    with pytest.raises(CurateError, match=f"{path}: the picture.*{fault}"):
        write(own, form, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["own"]


def test_the_remedy_brings_a_missing_picture_again(tmp_path: Path) -> None:
    urls = [f"http://photos.example/{number}.jpg" for number in range(3)]
    (tmp_path / "list.txt").write_text("".join(f"{url} 0\n" for url in urls))
    with running() as site:
        site.answers |= {f"/{number}.jpg": answer(picture(number)) for number in range(3)}
        given = {
            "listing": {"lists": [tmp_path / "list.txt"]},
            "fetch": {"mirror": site.base, "ignore_robots": True, "rate": 1000.0},
        }
        workspace = Workspace(tmp_path / "ws")
        list(Pipeline(workspace, override(PipelineConfig(), given)).run("fetch"))
        path = image_path(hashlib.sha256(picture(1)).hexdigest(), ".jpg")
        file = tmp_path / "ws" / path
        file.unlink()
        with pytest.raises(CurateError, match="curate fetch --repair --workspace"):
            next(Pictures(workspace).of(pa.table({"path": [path], "sha256": [file.stem]})))
        again = override(workspace.config(), {"fetch": {"repair": True}})
        list(Pipeline(workspace, again).run("fetch"))
        assert file.read_bytes() == picture(1)
        assert len(site.asked()) == len(urls) + 1


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
    write(shared, "croissant", tmp_path / "out", license=words)
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
    write(own, "imagefolder", tmp_path / "out", splits="train")
    below = {file.parent.relative_to(tmp_path / "out") for file in (tmp_path / "out").rglob("*.*g")}
    assert below == {Path("train", name) for name in folder_names(classes)}
    write(own, "huggingface", tmp_path / "card", splits="train")
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
        write(own, "webdataset", tmp_path / "out")


def test_hard_links_share_the_file_and_symbolic_links_are_not_passed_on(
    own: Workspace, tmp_path: Path
) -> None:
    paths = own.read("train")["path"].to_pylist()
    write(own, "imagefolder", tmp_path / "out")
    found = {file.name: file for file in (tmp_path / "out" / "train").rglob("*.*g")}
    assert all(found[Path(path).name].samefile(own.root / path) for path in paths)
    shutil.move(own.root / paths[0], tmp_path / "moved")
    (own.root / paths[0]).symlink_to(tmp_path / "moved")
    with pytest.raises(CurateError, match=f"{paths[0]}: the picture is missing"):
        write(own, "imagefolder", tmp_path / "again")


def test_a_folder_that_is_there_is_left_alone(shared: Workspace, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="is there already"):
        write(shared, "csv", tmp_path / "mine")
    (tmp_path / "empty").mkdir()
    write(shared, "csv", tmp_path / "empty")
    assert (tmp_path / "empty" / "train.csv").is_file()


def test_a_killed_export_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from webemo_curate.storage.whole_folder import whole_folder\n"
        "with whole_folder(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'half').write_text('half')\n"
        "    print('written', flush=True)\n"
        "    time.sleep(60)\n"
    )
    target = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(target)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "written\n"
    with whole_folder(tmp_path / "other") as folder:
        (folder / "x").touch()
    with whole_folder(target) as folder:  # of a living command nothing is swept
        assert len(list(tmp_path.glob(".out.*.partial"))) == 2
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert list(target.iterdir()) == []
    target.rmdir()
    assert len(list(tmp_path.glob(".out.*.partial"))) == 1
    with whole_folder(target) as folder:
        (folder / "whole").touch()
    assert [file.name for file in target.iterdir()] == ["whole"]
    assert not list(tmp_path.glob(".out.*.partial")), "what a killed command left is removed"


def test_a_full_disk_is_said_in_the_usual_words(shared: Workspace, tmp_path: Path) -> None:
    done = subprocess.run(
        [CURATE, "export", "webdataset", "--to", tmp_path / "out", "--workspace", shared.root],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (4096, 4096)),
    )
    assert done.returncode == 1
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("curate: ")]
    assert "File too large; raise the limit of the size of files" in said
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


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
