"""The demo's world is drawn equally each time and served with the faults it plans."""

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.sources.reading import read_list
from webemo_curate.config import DemoConfig, load_pipeline
from webemo_curate.demo import demo_world
from webemo_curate.demo.world import BODIES, HOST, make_world
from webemo_curate.sources.webemo import list_files
from webemo_curate.taxonomies.webemo_labels import LABELS

CONFIG = DemoConfig(pictures=300, seed=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("demo")
    make_world(CONFIG, place)
    return place


def test_drawing_is_deterministic(folder: Path, tmp_path: Path) -> None:
    again = make_world(CONFIG, tmp_path)
    assert again == make_world(CONFIG, folder)
    names = {file.name for file in (folder / BODIES).iterdir()}
    assert names == {file.name for file in (tmp_path / BODIES).iterdir()}


def test_lists_are_webemos_and_hold_every_label(folder: Path) -> None:
    tables = [read_list(file) for file in list_files([folder / "lists"])]
    labels = {label for table in tables for label in table["label"].to_pylist()}
    assert labels == {label.name for label in LABELS}


def test_server_answers_as_planned(folder: Path) -> None:
    plan = make_world(CONFIG, folder)
    once = {"throttled": 429, "failing_once": 500}
    with demo_world(CONFIG, folder) as world:
        for url, answer in plan.answers.items():
            first = once.get(answer.fault or "", answer.status)
            assert _status(world.mirror + url) == first
            if first != answer.status:
                assert _status(world.mirror + url) == answer.status
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(world.mirror, timeout=2)


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_urls_are_not_the_servers_own(folder: Path) -> None:
    lines = (folder / "lists" / "train25.txt").read_text().splitlines()
    assert all(line.startswith(HOST) for line in lines)


@pytest.mark.parametrize("name", ["demo.yaml", "webemo.yaml"])
def test_pipeline_files_load(name: str) -> None:
    load_pipeline(Path(__file__).parents[2] / "pipelines" / name)
