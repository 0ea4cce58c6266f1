"""`curate map`: all pictures that decode are placed, by looks or by a trained network."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.cli.command import curate
from tests.likeness.drawn_pictures import drawn_pictures
from tests.report.made_workspace import fill
from tests.work import work_on
from webemo_curate.likeness import network_features
from webemo_curate.likeness.network_features import NetworkFeatures
from webemo_curate.workspace import Workspace


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return drawn_pictures(tmp_path_factory.mktemp("placed"))


def test_copies_lie_beside_each_other_and_a_second_run_finds_them_placed(place: Workspace) -> None:
    result = curate("map", "--workspace", place.root)
    assert "60 pictures placed by color and texture" in result.results
    assert "curate report --open" in result.results
    rows = {row["sha256"]: (row["x"], row["y"]) for row in place.read("map").to_pylist()}
    pairs = [line.split() for line in (place.root / "pairs.txt").read_text().splitlines()]
    assert rows.keys() == {name for pair in pairs for name in pair}
    between = [np.subtract(rows[one], rows[other]) for one, other in pairs]
    every = np.array([*rows.values()])
    far = np.median(np.linalg.norm(every[:, None] - every[None], axis=2))
    assert np.mean(np.linalg.norm(between, axis=1) < far / 4) > 0.9
    assert "every stage is current" in curate("map", "--workspace", place.root).results


def test_of_more_pictures_than_wanted_some_are_drawn(place: Workspace, tmp_path: Path) -> None:
    mine = Workspace(shutil.copytree(place.root, tmp_path / "ws"))
    curate("map", "--pictures", "20", "--workspace", mine.root)
    names = mine.read("map")["sha256"].to_pylist()
    images = mine.read("images", ["sha256", "decode_status"]).to_pylist()
    assert names == sorted(i["sha256"] for i in images if i["decode_status"] == "ok")[:20]


def test_a_picture_is_found_by_the_digits_that_the_map_shows(place: Workspace) -> None:
    name = place.read("images", ["sha256"])["sha256"][0].as_py()
    digits = curate("similar", name[:8], "--workspace", place.root).results
    assert digits == curate("similar", name, "--workspace", place.root).results
    assert name not in digits


def test_a_run_that_is_not_there_is_named(place: Workspace) -> None:
    result = curate("map", "--run", "best", "--workspace", place.root)
    assert result.code == 2
    assert "best: no finished run" in result.rest


def test_the_latest_network_places_the_pictures_if_there_is_one(
    trained: tuple[Workspace, Path],
) -> None:
    workspace, run = trained
    fill(workspace)
    result = curate("map", "--device", "cpu", "--workspace", workspace.root)
    assert f"placed by the features of {run.name}" in result.results
    assert workspace.read("map").num_rows == workspace.read("images").num_rows
    info = workspace.info("map")
    assert info is not None
    assert info.origin.configuration["by"] == run.name
    status = curate("status", "--workspace", workspace.root).results.splitlines()
    # The made manifests above it belong to no stage that ran.
    assert [line.split(maxsplit=1)[1] for line in status if line.startswith("map ")] == [
        "stale: 'images' is stale"
    ]


def test_parts_that_are_done_are_not_asked_for_again(
    trained: tuple[Workspace, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, run = trained
    fill(workspace)
    monkeypatch.setattr(network_features, "PART_IMAGES", 16)
    images = workspace.read("images", ["sha256", "path"])
    work = work_on(workspace)
    begun = NetworkFeatures(run, work).of(images)
    first = next(begun)
    begun.close()
    with monkeypatch.context() as refusing:
        refusing.setattr(network_features, "open_network", _refuse)
        again = NetworkFeatures(run, work).of(images)
        assert next(again).tobytes() == first.tobytes()
        with pytest.raises(AssertionError):
            next(again)
    whole = np.concatenate([*NetworkFeatures(run, work).of(images)])
    assert whole.shape[0] == images.num_rows
    assert whole[:16].tobytes() == first.tobytes()


def _refuse(*_: object) -> None:
    raise AssertionError("asked for a network")
