"""A run is measured on pictures that it has not seen, or says that it has."""

import json
from pathlib import Path

import pyarrow as pa

from tests.cli.command import curate
from webemo_curate.manifest import Origin
from webemo_curate.workspace import Workspace


def resplit(workspace: Workspace) -> str:
    """Put a picture that the run was trained on into the test split; return its hash."""
    train, test = workspace.read("train"), workspace.read("test")
    origin = Origin("split", 1, {"seed": 5}, {})
    moved = pa.concat_tables([test, train.slice(0, 1)])
    workspace.write("test", moved, origin, workspace.classes("test"))
    return str(train["sha256"][0])


def test_pictures_that_training_has_seen_are_counted_and_named(
    trained: tuple[Workspace, Path],
) -> None:
    workspace, run = trained
    place = ["--workspace", workspace.root]
    assert curate("evaluate", run.name, *place).code == 0
    moved = resplit(workspace)

    refused = curate("evaluate", run.name, *place)
    assert refused.code == 2
    assert "training has seen 1 of these images" in refused.rest
    assert moved in refused.rest

    meant = curate("evaluate", run.name, "--allow-seen", "--json", *place)
    assert json.loads(meant.results)["seen"] == 1
    without = curate("evaluate", run.name, "--exclude-shared", "--json", *place)
    images = json.loads(meant.results)["images"]
    assert json.loads(without.results)["images"] == images - 1


def test_the_splits_of_its_own_training_are_measured_as_what_they_are(
    trained: tuple[Workspace, Path],
) -> None:
    workspace, run = trained
    for split in ("train", "validation"):
        said = curate("evaluate", run.name, "--on", split, "--workspace", workspace.root)
        assert said.code == 0, said
