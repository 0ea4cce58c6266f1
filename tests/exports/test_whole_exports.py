"""An export is whole or not there: pictures that are missing, kills, full disks, folders in use."""

import hashlib
import resource
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest

from tests.download.site import answer, picture, running
from tests.e2e.conftest import CURATE
from tests.exports.conftest import write_export
from webemo_curate.config import ExportFormat, PipelineConfig, override
from webemo_curate.errors import CurateError, InputError
from webemo_curate.exports.checked_pictures import Pictures
from webemo_curate.pipeline import Pipeline
from webemo_curate.storage.whole_folder import whole_folder
from webemo_curate.workspace import Workspace, image_path

WITH_PICTURES = [str(form) for form in ExportFormat if form != ExportFormat.CSV]


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
        write_export(own, form, tmp_path / "out")
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


def test_a_folder_that_is_there_is_left_alone(shared: Workspace, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="is there already"):
        write_export(shared, "csv", tmp_path / "mine")
    (tmp_path / "empty").mkdir()
    write_export(shared, "csv", tmp_path / "empty")
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
