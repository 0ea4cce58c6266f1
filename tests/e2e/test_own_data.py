"""README's own commands for one's own data, as they are typed, to a trained network."""

import csv
import json
import re
import shlex
import shutil
import subprocess
from itertools import islice
from pathlib import Path

import pytest

from tests.e2e.conftest import CURATE
from webemo_curate.config import DemoConfig
from webemo_curate.demo.own_data import write_photos
from webemo_curate.demo.world import make_world
from webemo_curate.taxonomies.webemo_labels import LABELS

pytestmark = pytest.mark.slow

README = Path(__file__).parents[2] / "README.md"
IN_SMALL = [
    *("--from-scratch", "--epochs", "1", "--image-size", "32", "--grams", "1"),
    *("--batch-size", "4", "--device", "cpu"),
]
"""No test downloads the backbone's weights."""

EACH = 16
SADNESS = {label.name for label in LABELS if label.emotion == "sadness"}


def typed(*words: str, place: Path) -> str:
    """Run a command in a folder as a user would; returns its results."""
    result = subprocess.run(
        [str(CURATE), *words], cwd=place, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def commands() -> list[list[str]]:
    """Return README's commands for one's own data."""
    section = README.read_text(encoding="utf-8").partition("## Your own data")[2]
    (block, *_) = re.findall(r"```\n(.*?)```", section, re.DOTALL)
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    assert all(line[0] == "curate" for line in lines)
    return [line[1:] for line in lines]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn pictures in the folders `sad` and `happy`, some bearing text, some copies."""
    drawn = tmp_path_factory.mktemp("drawn")
    by_label = write_photos(make_world(DemoConfig(pictures=120, seed=3), drawn), drawn)
    folder = tmp_path_factory.mktemp("own") / "photos"
    for name, sad in (("sad", True), ("happy", False)):
        (folder / name).mkdir(parents=True)
        found = (f for f in sorted(by_label.rglob("*.*")) if (f.parent.name in SADNESS) == sad)
        for file in islice(found, EACH):
            shutil.copy(file, folder / name / file.name)
    return folder


def check(place: Path, workspace: str, *classes: str) -> None:
    """Check that the network answers with the classes' names, and that the accounts add up."""
    here = ("--workspace", workspace)
    document = json.loads(typed("evaluate", "--on", "test", *here, "--json", place=place))
    assert set(document["per_class"]) == set(classes)
    assert document["images"] > 0
    assert "Everything adds up" in typed("verify", *here, place=place)
    typed("report", *here, place=place)
    assert (place / workspace / "report.html").stat().st_size


def test_a_folder_by_readmes_commands(photos: Path, tmp_path: Path) -> None:
    shutil.copytree(photos, tmp_path / "photos")
    for words in commands():
        typed(*words, *(IN_SMALL if words[0] == "train-model" else ()), place=tmp_path)
    check(tmp_path, "mine", "others", "sad")
    here = ("--workspace", "mine")
    added = json.loads(
        typed("add-folder", "photos", "--name", "all", *here, "--json", place=tmp_path)
    )
    for on in ("photos", "all"):
        words = ("evaluate", "--on", on, *here, "--json")
        assert json.loads(typed(*words, place=tmp_path))["images"] == added["rows"]


def test_a_table_of_several_classes(photos: Path, tmp_path: Path) -> None:
    """Classes of labels, groups and listed splits; a row that is none; nothing set but options."""
    shutil.copytree(photos, tmp_path / "pictures")
    splits = ("train", "train", "train", "val", "test")
    with (tmp_path / "labels.csv").open("w", newline="") as stream:
        table = csv.writer(stream, delimiter=";")
        table.writerow(["Image", "Emotion", "Author", "Subset"])
        for number, file in enumerate(sorted((tmp_path / "pictures").rglob("*.*"))):
            path = file.relative_to(tmp_path).as_posix()
            table.writerow([path, file.parent.name, f"a{number}", splits[number % len(splits)]])
        table.writerow(["../elsewhere.jpg", "sad", "b", "train"])
    here = ("--workspace", "table")
    fetch = ("fetch", "--source", "labels.csv", "--on-bad-row", "skip")
    typed(*fetch, *here, place=tmp_path)
    typed("split", "--target", "labels", "--official", *here, place=tmp_path)
    typed("train-model", *IN_SMALL, *here, place=tmp_path)
    check(tmp_path, "table", "happy", "sad")
