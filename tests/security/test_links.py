"""A link anywhere in a workspace, and whatever command is given: nothing outside is touched."""

import csv
import shutil
from pathlib import Path

import pytest
import yaml

from tests.cli.command import curate
from tests.exports.shared_set import drawn, fill
from tests.security.test_folder import CONTENT, files_of
from tests.trainable import write_experiment
from webemo_curate.errors import InputError
from webemo_curate.releases.files import SUMS
from webemo_curate.rooted import regular_digest
from webemo_curate.table_engine import TableEngine
from webemo_curate.workspace import Workspace

SMALL = ("--from-scratch", "--epochs", 1, "--image-size", 32, "--batch-size", 8, "--device", "cpu")
LISTS = ("category.txt", "train25.txt", "test25.txt")
REVIEW = {
    "kind": "text",
    "sha256": "a" * 64,
    "decision": "keep",
    "reviewer": "ann",
    "time": "2026-01-01T00:00:00+00:00",
}


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Give a folder of the user's own, in which files lie that a command could take for its own."""
    folder = tmp_path / "own"
    for name in ("metrics.parquet", "plan.json", "bodies/one", "x/config.json", *LISTS):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(CONTENT)
    return folder


def link(workspace: Workspace, key: str, target: Path) -> None:
    """Put a link in the place of whatever a workspace holds there."""
    place = workspace.root / key
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


def refused(workspace: Workspace, *arguments: object) -> None:
    said = curate(*arguments, "--workspace", workspace.root)
    assert said.code == 2, said
    assert "is a link, and nothing in a workspace may be one; remove it" in said.rest


@pytest.mark.parametrize(
    ("key", "command"),
    [
        ("data", ("pack", "--image-size", 32)),
        ("data/packed", ("pack", "--image-size", 32)),
        ("data/runs", ("train-model", "--only", *SMALL)),
        ("data/runs", ("train-model", "--only", "--name", "mine", *SMALL)),
        ("data/runs", ("evaluate",)),
        ("data/runs", ("runs",)),
        ("data/lists", ("fetch", "--lists", "webemo")),
        ("data/lists/train25.txt", ("fetch", "--lists", "webemo")),
        ("data/lists/category.txt", ("fetch",)),
        ("manifests", ("export", "csv")),
        ("manifests", ("verify",)),
        ("curate.yaml", ("config", "set", "split.seed", 4)),
        ("report.html", ("report",)),
    ],
)
def test_a_command_that_works_in_a_linked_place_is_refused(
    workspace: Workspace, outside: Path, tmp_path: Path, key: str, command: tuple[object, ...]
) -> None:
    before = files_of(outside)
    link(workspace, key, outside / "plan.json" if "." in key else outside)
    made = ("--to", tmp_path / "made") if command[0] == "export" else ()
    refused(workspace, *command, *made)
    assert files_of(outside) == before
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "key", ["experiments", "experiments/small", "experiments/small/results.md"]
)
def test_an_experiment_is_refused_before_it_trains(
    workspace: Workspace, outside: Path, tmp_path: Path, key: str
) -> None:
    before = files_of(outside)
    link(workspace, key, outside / "plan.json" if "." in key else outside)
    refused(workspace, "experiment", write_experiment(tmp_path))
    assert files_of(outside) == before
    assert not (workspace.root / "data/runs").exists()


@pytest.mark.parametrize("key", ["data/demo", "data/demo/bodies", "data/demo/plan.json"])
def test_the_demo_is_drawn_through_no_link(tmp_path: Path, outside: Path, key: str) -> None:
    before, workspace = files_of(outside), Workspace(tmp_path / "ws")
    link(workspace, key, outside / "plan.json" if "." in key else outside)
    pipeline = tmp_path / "demo.yaml"
    pipeline.write_text(yaml.safe_dump({"demo": {"pictures": 100}}))
    refused(workspace, "run", pipeline)
    assert files_of(outside) == before


def test_a_release_is_brought_back_through_no_link(outside: Path, tmp_path: Path) -> None:
    released, theirs = tmp_path / "released", Workspace(tmp_path / "theirs")
    ours = fill(Workspace(tmp_path / "ours"), drawn())
    said = curate("release", released, "--license", "unknown", "--workspace", ours.root)
    assert said.code == 0, said
    link(theirs, f"data/rebuild/{regular_digest(released / SUMS)}", outside)
    before = files_of(outside)
    refused(theirs, "rebuild", released, "--pictures", ours.root / "data/images")
    assert files_of(outside) == before


def test_decisions_are_imported_through_no_link(
    workspace: Workspace, outside: Path, tmp_path: Path
) -> None:
    before = files_of(outside)
    with (tmp_path / "decisions.csv").open("w", newline="") as stream:
        table = csv.DictWriter(stream, REVIEW)
        table.writeheader()
        table.writerow(REVIEW)
    link(workspace, "data/reviews", outside)
    refused(workspace, "review", "--import", tmp_path / "decisions.csv")
    assert files_of(outside) == before


def test_tables_are_spilled_through_no_link(workspace: Workspace, outside: Path) -> None:
    link(workspace, "data", outside)
    with pytest.raises(InputError, match="is a link"), TableEngine(workspace.root, {}):
        pass
    assert not list(outside.glob(".*"))


def test_settings_of_a_training_are_written_through_no_link(
    trained: tuple[Workspace, Path], outside: Path
) -> None:
    workspace, run = trained
    before = files_of(outside)
    for name in ("name.txt", "metrics-test.json", "predictions-test.parquet", "config.json"):
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to(outside / "plan.json")
        refused(workspace, "evaluate", run.name)
        (run / name).unlink()
    assert files_of(outside) == before
