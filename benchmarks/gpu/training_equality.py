"""Check that CUDA graphs train like plain launches, and that trainings repeat to the last bit.

    python -m benchmarks.gpu.training_equality [--device cpu] [--size 96]

Trains a small network through `training.fit.train`, by the paper's recipe (fp32, Adagrad) and by
that of `--preset beyond` with deterministic kernels (bf16, AdamW, averaged weights), each: without
graphs, with them twice, and with them in a process that is killed within an epoch and begun again.
An epoch has whole updates of two batches and an uneven one. Prints a line a check, ends with 1 if
one fails; takes about a minute and a half. `--device cpu --size 32` tries the script: no graphs.
"""

import argparse
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from benchmarks.gpu.asked_device import asked_device
from tests.trainable import make_workspace
from webemo_curate.config import PipelineConfig, TrainConfig
from webemo_curate.dataset.labeled_images import chunks, open_images
from webemo_curate.dataset.prefetch import Feed
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.runs import LAST_FILE, STATE_FILE
from webemo_curate.training.augment.augmentation import Augmentation
from webemo_curate.training.fit import train
from webemo_curate.training.trainer import Trainer
from webemo_curate.workspace import Workspace

IMAGES = {"train": 168, "validation": 16, "test": 6}
"""At 32 images an update five whole updates and an uneven one."""

TOLERANCE = 0.02
"""Length of the difference between graphs' weights and plain launches', as a share of the way that
training moved the weights."""

SMALL: dict[str, Any] = {
    "backbone": "tf_efficientnetv2_b0",
    "grams": 3,
    "batch_size": 16,
    "accumulate": 2,
    "epochs": 3,
    "from_scratch": True,
    "checkpoint_minutes": 0,
    "feed": "resident",
}
RECIPES: dict[str, dict[str, Any]] = {
    "paper": SMALL,
    "beyond": SMALL | {"preset": "beyond", "deterministic": True, "ema_decay": 0.9},
}
KILL_SECONDS = 120

Weights = dict[str, torch.Tensor]


class Warnings(logging.Handler):
    """Counts warnings: one says that graphs could not be used."""

    seen = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Print and count a warning."""
        self.seen += 1
        print(f"WARNING {record.getMessage()}", flush=True)


def work_on(root: Path) -> WorkContext:
    """Return a context over the workspace."""
    return WorkContext(Workspace(root), PipelineConfig())


def trained(config: TrainConfig, root: Path) -> Weights:
    """Train from the state that is there, and take the run away."""
    started = time.monotonic()
    (run,) = train(config, work_on(root))
    weights = load_file(run.folder / LAST_FILE)
    shutil.rmtree(run.folder)
    print(f"    trained in {time.monotonic() - started:.1f} s", flush=True)
    return weights


def kill_within_an_epoch(config: TrainConfig, root: Path) -> None:
    """Train in another process, and kill it when it has written its first state."""
    command = [sys.executable, "-m", "benchmarks.gpu.training_equality", "--root", str(root)]
    process = subprocess.Popen([*command, "--config", config.model_dump_json()])
    deadline = time.monotonic() + KILL_SECONDS
    while not list(Workspace(root).runs.glob(f"*/{STATE_FILE}")) and process.poll() is None:
        if time.monotonic() > deadline:
            break
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (state,) = Workspace(root).runs.glob(f"*/{STATE_FILE}")
    print(f"    killed, {state.stat().st_size} bytes of state", flush=True)


def distance(one: Weights, other: Weights) -> float:
    """Return the length of the difference of all weights, running statistics left out."""
    weights = [name for name in one if name.endswith(("weight", "bias"))]
    squares = [(one[name].double() - other[name].double()).square().sum() for name in weights]
    return float(torch.stack(squares).sum().sqrt())


def equal(one: Weights, other: Weights) -> bool:
    """Tell whether all numbers are equal bit for bit."""
    return all(torch.equal(one[name], other[name]) for name in one)


def say(passed: bool, text: str) -> bool:
    """Print the outcome of a check."""
    print(f"{'PASS' if passed else 'FAIL'}  {text}", flush=True)
    return passed


def check_recipe(name: str, root: Path, device: str, size: int) -> bool:
    """Train by a recipe in all ways and compare."""
    config = TrainConfig(**RECIPES[name], device=device, image_size=size)
    plain = config.model_copy(update={"graphs": False})
    first: Weights = dict(
        Trainer(plain, plain.seed, torch.device("cpu"), root).network.state_dict()
    )
    eager, graph, again = (trained(c, root) for c in (plain, config, config))
    kill_within_an_epoch(config, root)
    resumed = trained(config, root)
    share = distance(graph, eager) / distance(first, eager)
    how = "equal to the bit" if equal(graph, eager) else f"{share:.1e} of the way apart"
    return all(
        [
            say(share < TOLERANCE, f"{name}: graphs and plain launches: {how}"),
            say(equal(graph, again), f"{name}: two trainings with graphs are equal to the bit"),
            say(equal(graph, resumed), f"{name}: a killed and resumed one is equal to the bit"),
        ]
    )


def check_augmentation(root: Path, device: torch.device) -> bool:
    """Compare blocks on the device with batches on the CPU."""
    config, work = TrainConfig(image_size=96), work_on(root)
    images = open_images(work.workspace.read("train"), config, work)
    count = len(images.sha256)
    augment = Augmentation(config, count, 0, 0)
    feed = Feed(images, device, "mapped")
    found = [pixels.cpu() for pixels, _ in feed.batches(chunks(count, 16), augment)]
    alone = [augment(images.take(rows), rows) for rows in chunks(count, 16)]
    same = all(torch.equal(one, other) for one, other in zip(found, alone, strict=True))
    return say(same, "images augmented in blocks are the CPU's, batch by batch, to the byte")


def main() -> None:
    """Make all checks, or be the process that is killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--recipes", nargs="*", default=list(RECIPES))
    parser.add_argument("--root", type=Path, help="for the process that is killed")
    parser.add_argument("--config", help="for the process that is killed")
    arguments = parser.parse_args()
    if arguments.root:
        train(TrainConfig.model_validate_json(arguments.config), work_on(arguments.root))
        return
    device = asked_device(arguments.device)
    warnings = Warnings(logging.WARNING)
    logging.getLogger("webemo_curate").addHandler(warnings)
    with tempfile.TemporaryDirectory() as folder:
        root = make_workspace(Path(folder), sizes=IMAGES).root
        checks = [check_augmentation(root, device)]
        checks += [
            check_recipe(name, root, arguments.device, arguments.size) for name in arguments.recipes
        ]
    checks.append(say(warnings.seen == 0, "nothing fell back"))
    print(f"{np.sum(checks)} of {len(checks)} groups of checks passed", flush=True)
    sys.exit(0 if all(checks) else 1)


if __name__ == "__main__":
    main()
