"""A user without a home folder, or with one that cannot be written to, as in some containers."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import curate
from webemo_curate.errors import InputError
from webemo_curate.models.weight_places import kept_weights
from webemo_curate.ocr.easyocr.weight_files import first_place
from webemo_curate.storage.bucket import BucketStore
from webemo_curate.workspace import Workspace


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the user a number that no name belongs to, without `HOME`."""

    def nobody(_: int) -> None:
        raise KeyError("uid not found")

    for name in ("HOME", "XDG_CACHE_HOME", "EASYOCR_MODULE_PATH", "MODULE_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)


@pytest.mark.usefixtures("homeless")
def test_doctor_says_what_is_lacking_and_goes_on(tmp_path: Path) -> None:
    said = curate("doctor", "--workspace", tmp_path)
    assert said.results.count("there is no home folder") == 2
    assert "open files" in said.results


@pytest.mark.usefixtures("homeless")
def test_what_is_kept_there_is_asked_a_folder_for(tmp_path: Path) -> None:
    for place in (lambda: kept_weights("b"), first_place, lambda: BucketStore("s3://bucket/set")):
        with pytest.raises(InputError, match="export HOME=FOLDER"):
            place()
    said = curate("get-weights", "timm", "--workspace", tmp_path)
    assert (said.code, "export HOME=FOLDER" in said.rest) == (2, True)


def test_matplotlib_does_not_tell_where_its_caches_are(
    trained: tuple[Workspace, Path], tmp_path: Path
) -> None:
    workspace, run = trained
    picture = next(workspace.root.glob("data/images/**/*.png"))
    figure = ("--figure", tmp_path / "figure.png", "--workspace", workspace.root)
    done = subprocess.run(
        [sys.executable, "-m", "webemo_curate.cli", "predict", run.name, picture, *figure],
        env={**os.environ, "HOME": "/dev/null", "MPLCONFIGDIR": "/dev/null/none"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "figure.png").exists()
    assert "cache directory" not in done.stderr
