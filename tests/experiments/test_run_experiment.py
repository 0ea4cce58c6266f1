"""`curate experiment` trains what is missing, measures it, and says what is significant."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.conftest import CURATE, curate
from tests.experiments.drawn_answers import (
    PIPELINES,
)
from tests.trainable import TINY, draw, draw_set, make_workspace, write_experiment
from tests.work import work_on
from webemo_curate.config import ExperimentConfig, load_experiment
from webemo_curate.errors import InputError
from webemo_curate.experiments.comparison import Families
from webemo_curate.experiments.run_experiment import run_experiment
from webemo_curate.runs import DONE_FILE, LAST_FILE, STATE_FILE
from webemo_curate.workspace import Workspace


def test_families_are_sorted_by_what_networks_differ_in() -> None:
    config = load_experiment(PIPELINES / "paper.yaml")
    families = Families.of(config)
    assert families.grams == [(name, "k0") for name in ("k2", "k3", "k4", "k5")]
    assert families.others == [("zhang", "k0")]
    assert families.augmentation == [("k0", "k0-plain"), ("k4", "k4-plain")]


@pytest.mark.slow
def test_the_command_trains_nothing_twice_and_takes_sets_later(
    workspace: Workspace, tmp_path: Path
) -> None:
    file = write_experiment(tmp_path)
    curate("experiment", file, "--workspace", workspace.root)
    runs = {run: run.stat().st_mtime_ns for run in workspace.runs.glob(f"*/{LAST_FILE}")}
    assert len(runs) == 4
    found = draw_set(tmp_path / "UnbiasedEmo")
    command = ["experiment", file, "--test-set", found, "--workspace", workspace.root, "--json"]
    comparisons = json.loads(curate(*command).splitlines()[-1])["comparisons"]
    assert {run: run.stat().st_mtime_ns for run in runs} == runs
    assert [c["on"] for c in comparisons] == ["test", "UnbiasedEmo"]
    for comparison in comparisons:
        assert len(comparison["mcnemar"]) == len(comparison["areas"]) == 2


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["absent"], "absent: no such test set"),
        (["empty"], "holds no file in a folder named by an emotion"),
        (["here/Set", "there/Set"], "another test set is called 'Set' too"),
    ],
)
def test_sets_that_cannot_be_measured_on_stop_before_training(
    workspace: Workspace, tmp_path: Path, names: list[str], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    for place in ("here", "there"):
        draw(tmp_path / place / "Set" / "joy" / "1.png", 0, np.random.default_rng(0))
    config = load_experiment(write_experiment(tmp_path), [tmp_path / name for name in names])
    with pytest.raises(InputError, match=message):
        run_experiment(config, "small", work_on(workspace))
    assert not workspace.runs.exists()


@pytest.mark.slow
def test_a_killed_experiment_goes_on_and_comes_to_the_same(tmp_path: Path) -> None:
    undisturbed = make_workspace(tmp_path / "undisturbed")
    killed = Workspace(tmp_path / "killed")
    shutil.copytree(undisturbed.root, killed.root)
    file = write_experiment(
        tmp_path, common=TINY.model_dump(mode="json", exclude={"grams"}) | {"seeds": 2}
    )
    curate("experiment", file, "--workspace", undisturbed.root)

    command = [str(CURATE), "experiment", str(file), "--workspace", str(killed.root)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None and not _one_is_finished_and_one_under_way(killed):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the experiment ended before it could be killed"
    finished = {path.parent: path.stat().st_mtime_ns for path in killed.runs.glob(f"*/{DONE_FILE}")}
    assert 1 <= len(finished) < 4

    curate("experiment", file, "--workspace", killed.root)
    assert all((run / DONE_FILE).stat().st_mtime_ns == time for run, time in finished.items())
    for result in ("results.md", "metrics.parquet"):
        ours, theirs = (
            (place.root / "experiments" / "small" / result).read_bytes()
            for place in (undisturbed, killed)
        )
        assert ours == theirs


def _one_is_finished_and_one_under_way(workspace: Workspace) -> bool:
    under_way = [path.parent for path in workspace.runs.glob(f"*/{STATE_FILE}")]
    finished = [path.parent for path in workspace.runs.glob(f"*/{DONE_FILE}")]
    return bool(finished) and any(run not in finished for run in under_way)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"baseline": "k7"}, "baseline 'k7' is none of k0, k2"),
        ({"networks": {}}, "networks"),
        ({"networks": {"../k": {}}, "baseline": "../k"}, "use letters"),
        ({"networks": {"k0": {}, "k1": {"seeds": 3}}}, "as many seeds"),
        ({"networks": {"k0": {"gramms": 1}}}, "gramms"),
        ({"test_sets": "UnbiasedEmo"}, "test_sets"),
    ],
)
def test_impossible_experiments_are_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    file = write_experiment(tmp_path, **changes)
    with pytest.raises(InputError, match=message):
        load_experiment(file)


def test_the_papers_sweep_is_as_facts_say() -> None:
    config = load_experiment(PIPELINES / "paper.yaml")
    assert {name: network.grams for name, network in config.networks.items()} == {
        "k0": 0,
        "k2": 2,
        "k3": 3,
        "k4": 4,
        "k5": 5,
        "k0-plain": 0,
        "k4-plain": 4,
        "zhang": 0,
    }
    assert {network.seeds for network in config.networks.values()} == {5}
    assert config.networks["zhang"].epochs == 60
    assert config.networks["k4-plain"].augment == "none"


def test_only_what_is_compared_must_be_there() -> None:
    alone = ExperimentConfig.model_validate({"networks": {"k0": {"grams": 0}}, "baseline": "k0"})
    assert list(Families.of(alone)) == [[], [], []]
    assert Families.of(alone).candidates == []
