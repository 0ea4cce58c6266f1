"""Two processes that torchrun starts train as one does, and resume as if never killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import load_file

from tests.e2e.conftest import curate
from tests.trainable import TINY, write_experiment
from tests.work import work_on
from webemo_curate.training.fit import train
from webemo_curate.training.trainer import Trainer
from webemo_curate.workspace import Workspace

SAME = 0.01
"""Length by which the two updates may differ, as a share of the update's own."""

CURATE = Path(sys.executable).with_name("curate")
CONFIG = TINY.model_copy(update={"accumulate": 2, "batch_size": 8, "epochs": 1})
"""One update an epoch: 16 training images, two batches of 8."""
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def start(workspace: Workspace, epochs: int = 1) -> subprocess.Popen[bytes]:
    """Start training in two processes."""
    settings = {"train": CONFIG.model_dump(mode="json") | {"epochs": epochs}}
    (workspace.root / "curate.yaml").write_text(yaml.safe_dump(settings))
    return start_both("train-model", "--only", "--workspace", str(workspace.root))


def start_both(*arguments: str) -> subprocess.Popen[bytes]:
    """Start a command in two processes, in a process group of their own."""
    return subprocess.Popen(
        [*TORCHRUN, "--no-python", str(CURATE), *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )


def last_weights(workspace: Workspace) -> dict[str, torch.Tensor]:
    (folder,) = workspace.runs.iterdir()
    return load_file(folder / "last.safetensors")


@pytest.mark.slow
def test_two_processes_train_as_one_does(workspace: Workspace) -> None:
    (run,) = train(CONFIG, work_on(workspace))
    alone = load_file(run.folder / "last.safetensors")
    shutil.rmtree(run.folder)

    assert start(workspace).wait() == 0
    together = last_weights(workspace)
    first = Trainer(CONFIG, CONFIG.seed, torch.device("cpu"), run.folder).network
    moved, apart = 0.0, 0.0
    for name, start_value in first.named_parameters():
        moved += float((alone[name] - start_value).square().sum())
        apart += float((alone[name] - together[name]).square().sum())
    # One update: after several, rounding alone sets batches so small apart.
    assert apart < SAME**2 * moved


@pytest.mark.slow
def test_two_killed_processes_resume_bitwise(workspace: Workspace) -> None:
    assert start(workspace, epochs=3).wait() == 0
    undisturbed = last_weights(workspace)
    (folder,) = workspace.runs.iterdir()
    shutil.rmtree(folder)

    process = start(workspace, epochs=3)
    while not (folder / "state.safetensors").exists() and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (folder / "last.safetensors").exists(), "the run ended before it could be killed"

    assert start(workspace, epochs=3).wait() == 0
    resumed = last_weights(workspace)
    assert all(torch.equal(undisturbed[name], resumed[name]) for name in undisturbed)


@pytest.mark.slow
def test_two_processes_run_an_experiment_that_one_can_finish(workspace: Workspace) -> None:
    file = write_experiment(workspace.root, CONFIG)
    command = ["experiment", str(file), "--workspace", str(workspace.root)]
    assert start_both(*command).wait() == 0
    page = workspace.root / "experiments" / "small" / "results.md"
    told = page.read_text()
    assert {"k0", "k2"} <= set(pd.read_parquet(page.with_name("metrics.parquet"))["network"])
    done = {mark: mark.stat().st_mtime_ns for mark in workspace.runs.glob("*/done.json")}
    assert len(done) == 4  # two networks with two seeds

    page.unlink()
    curate(*command)  # alone: everything is trained
    assert page.read_text() == told
    assert {mark: mark.stat().st_mtime_ns for mark in done} == done
