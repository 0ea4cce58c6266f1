"""A `~` that no shell has replaced, quoted or in a file, is the home folder all the same."""

from pathlib import Path

import pytest
import yaml

from tests.download.site import picture
from tests.e2e.conftest import curate
from webemo_curate.workspace import Workspace, open_workspace


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home folder with a picture; another is the folder to stand in."""
    place = tmp_path / "home"
    (place / "photos" / "joy").mkdir(parents=True)
    (place / "photos" / "joy" / "1.jpg").write_bytes(picture(1))
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.chdir(tmp_path / "here")
    return place


def test_in_options(home: Path) -> None:
    curate("fetch", "--source", "~/photos", "--workspace", "~/ws")
    assert Workspace(home / "ws").read("fetch")["status"].to_pylist() == ["local"]
    assert list(Path.cwd().iterdir()) == []
    assert open_workspace("~/ws").root == home / "ws"


def test_in_arguments(home: Path) -> None:
    curate("add-folder", "~/photos", "--name", "other", "--workspace", "~/ws")
    assert Workspace(home / "ws").has("other")


def test_in_a_file(home: Path) -> None:
    (home / "ws").mkdir()
    settings = {"listing": {"source": ["~/photos"]}}
    (home / "ws" / "curate.yaml").write_text(yaml.safe_dump(settings))
    curate("fetch", "--workspace", "~/ws")
    assert Workspace(home / "ws").read("listing")["file"].to_pylist() == ["joy/1.jpg"]
