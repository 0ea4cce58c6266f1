"""Finished runs as a table, and two of them beside each other."""

import json
from pathlib import Path

from tests.cli.command import curate
from webemo_curate.workspace import Workspace


def test_runs_are_listed_and_compared(trained: tuple[Workspace, Path]) -> None:
    workspace, run = trained
    place = ("--workspace", workspace.root)
    (row,) = json.loads(curate("runs", *place, "--json").results)["runs"]
    assert row["name"] == run.name
    accuracy, low, high = row["validation"]
    assert low <= accuracy <= high
    assert row["test"] is None
    info = workspace.info("train")
    assert info
    assert info.digest.startswith(row["split"])
    assert row["split"]
    assert run.name in curate("runs", "--sort", "test", *place).results
    assert json.loads(curate("runs", "--split", "none", *place, "--json").results)["runs"] == []

    said = curate("runs", "compare", run.name, run.name, *place)
    assert said.code == 0, said
    assert "train." not in said.results
    assert curate("runs", "compare", run.name, "nosuch", *place).code == 2
