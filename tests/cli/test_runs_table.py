"""Finished runs as a table, and two of them beside each other."""

import json
from pathlib import Path

import pytest

from tests.cli.command import curate
from tests.trainable import TINY
from tests.work import work_on
from webemo_curate.errors import InputError
from webemo_curate.evaluation.run_table import trained_line
from webemo_curate.run_names import check_name, name_run, run_name
from webemo_curate.runs import find_run
from webemo_curate.training.fit import train
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
    assert json.loads(curate("runs", "--network", "zhang", *place, "--json").results)["runs"] == []
    assert run.name in curate("runs", "--sort", "test", *place).results
    assert json.loads(curate("runs", "--split", "none", *place, "--json").results)["runs"] == []

    said = curate("runs", "compare", run.name, run.name, *place)
    assert said.code == 0, said
    assert "train." not in said.results
    assert curate("runs", "compare", run.name, "nosuch", *place).code == 2


def test_a_run_goes_by_the_name_that_it_was_given(
    trained: tuple[Workspace, Path], workspace: Workspace
) -> None:
    _, run = trained
    place = trained[0]
    name_run(run, "first", place)
    assert find_run("first", place) == run
    (row,) = json.loads(curate("runs", "--workspace", place.root, "--json").results)["runs"]
    assert (row["name"], row["folder"]) == ("first", run.name)
    check_name("first", run, place)
    for name, said in {"first": "has it", run.name: "is the folder", "a b": "use letters"}.items():
        with pytest.raises(InputError, match=said):
            check_name(name, run.parent / "other", place)
    (done,) = train(TINY.model_copy(update={"epochs": 1}), work_on(workspace), "mine")
    assert run_name(done.folder) == "mine"
    assert trained_line(done).startswith("trained mine: validation accuracy ")
    again = train(TINY.model_copy(update={"epochs": 1}), work_on(workspace), "yours")
    assert trained_line(again[0]).startswith("current yours: validation accuracy ")
