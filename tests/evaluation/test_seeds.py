"""`curate evaluate` says mean and standard deviation over a training's seeds."""

import json
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.conftest import curate
from tests.trainable import TINY
from tests.work import work_on
from webemo_curate.evaluation.evaluate import Evaluation
from webemo_curate.evaluation.metrics import measure
from webemo_curate.evaluation.seeds import mean_and_deviation, seeds_of, seeds_summary
from webemo_curate.manifest import Origin
from webemo_curate.runs import DONE_FILE, find_run, run_folder, save_config
from webemo_curate.training.fit import train
from webemo_curate.workspace import Workspace

SHORT = TINY.model_copy(update={"epochs": 1, "seeds": 2})


def evaluations() -> list[Evaluation]:
    """Three runs of known answers on five images."""
    target = np.array([1, 1, 0, 0, 0])
    answers = ([0.9, 0.8, 0.1, 0.2, 0.3], [0.9, 0.4, 0.1, 0.2, 0.3], [0.9, 0.4, 0.6, 0.2, 0.3])
    found = [measure(target, np.array(probability)) for probability in answers]
    return [Evaluation(Path("run"), "test", m, None, m, Path("p")) for m in found]


def test_mean_and_deviation_are_those_of_the_runs() -> None:
    figures = mean_and_deviation(evaluations())
    accuracies = [1.0, 0.8, 0.6]
    assert figures["mean"]["accuracy"] == pytest.approx(statistics.mean(accuracies))
    assert figures["deviation"]["accuracy"] == pytest.approx(statistics.stdev(accuracies))
    recalls = [1.0, 0.5, 0.5]
    assert figures["mean"]["sadness_recall"] == pytest.approx(statistics.mean(recalls))
    assert "accuracy 80.00 ± 20.00 %" in seeds_summary(evaluations())


def test_a_figure_that_no_run_defines_is_none() -> None:
    runs = [replace(one, metrics=replace(one.metrics, auc=None)) for one in evaluations()]
    assert mean_and_deviation(runs)["mean"]["auc"] is None
    assert "AUC -" in seeds_summary(runs)


@pytest.mark.slow
def test_latest_training_is_evaluated_with_all_its_seeds(workspace: Workspace) -> None:
    pretend_to_have_trained(workspace, seed=9, grams=0)  # another one, and not the latest
    runs = train(SHORT, work_on(workspace))
    names = [run.folder.name for run in runs]

    output = curate("evaluate", "--workspace", workspace.root, "--json")
    document = json.loads(output.splitlines()[-1])
    assert [one["run"] for one in document["seeds"]] == names
    assert document["run"] == find_run(None, workspace).name
    accuracies = [one["accuracy"] for one in document["seeds"]]
    assert document["mean"]["accuracy"] == pytest.approx(statistics.mean(accuracies))
    assert document["deviation"]["accuracy"] == pytest.approx(statistics.stdev(accuracies))
    assert "2 seeds on test, mean ± standard deviation" in output

    alone = curate("evaluate", names[0], "--workspace", workspace.root, "--json")
    assert "seeds" not in json.loads(alone.splitlines()[-1])
    both = curate("evaluate", names[0], "--all-seeds", "--workspace", workspace.root, "--json")
    assert json.loads(both.splitlines()[-1])["run"] == names[0]
    assert json.loads(both.splitlines()[-1])["mean"] == document["mean"]


def test_runs_of_other_settings_splits_or_unfinished_ones_are_no_seeds(
    workspace: Workspace,
) -> None:
    folders = [
        pretend_to_have_trained(workspace, seed=0),
        pretend_to_have_trained(workspace, seed=1),
    ]
    pretend_to_have_trained(workspace, seed=0, epochs=7)
    (pretend_to_have_trained(workspace, seed=2) / DONE_FILE).unlink()
    assert seeds_of(folders[1], workspace) == folders

    split = workspace.read("train")
    workspace.write("train", split.slice(2), Origin("split", 1, {}, {"x": "other"}))
    assert seeds_of(folders[1], workspace) == [folders[1]]
    renewed = pretend_to_have_trained(workspace, seed=0)
    assert seeds_of(renewed, workspace) == [renewed]


def pretend_to_have_trained(workspace: Workspace, seed: int, **changes: object) -> Path:
    config = SHORT.model_copy(update=changes)
    folder = run_folder(config, seed, workspace)
    save_config(folder, config, seed, workspace)
    (folder / DONE_FILE).write_text("{}")
    return folder
