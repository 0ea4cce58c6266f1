"""Batches of an update count as one batch, and pixels are the same by whatever way they come."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.nn import functional

from tests.e2e.conftest import curate
from tests.trainable import TINY
from tests.work import work_on
from webemo_curate.dataset.labeled_images import epoch_updates
from webemo_curate.models.registry import set_training
from webemo_curate.training.fit import train
from webemo_curate.training.trainer import Trainer
from webemo_curate.workspace import Workspace

PLAIN = TINY.model_copy(
    update={"grams": 0, "epochs": 1, "augment": "none", "dropout": 0.0, "drop_path": 0.0}
)

SAME = 0.001
"""Length by which two updates may differ by rounding, as a share of the update's own."""


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "last.safetensors")


def test_two_accumulated_batches_move_weights_as_the_mean_over_both(
    workspace: Workspace,
) -> None:
    config = PLAIN.model_copy(update={"accumulate": 2, "lr_scaling": "none"})
    (run,) = train(config, work_on(workspace))
    after = weights(run.folder)

    network = Trainer(config, config.seed, torch.device("cpu"), run.folder).network
    set_training(network, config)
    table = workspace.read("train")
    pictures = _pixels(workspace, table["path"].to_pylist())
    targets = torch.tensor(table["target"].to_pylist())
    (batches,) = epoch_updates(16, 8, 2, config.seed, 0)
    losses = [
        functional.cross_entropy(network(pictures[rows] / 255), targets[rows]) for rows in batches
    ]
    (sum(losses) / 2).backward()
    moved, apart = 0.0, 0.0
    for name, parameter in network.named_parameters():
        gradient = parameter.grad
        step = 0.002 * gradient / (0.1 + gradient**2 + 1e-7).sqrt()
        moved += float(step.square().sum())
        apart += float((after[name] - (parameter.detach() - step)).square().sum())
    assert apart < SAME**2 * moved


def _pixels(workspace: Workspace, paths: list[str]) -> torch.Tensor:
    squares = []
    for path in paths:
        with Image.open(workspace.root / path) as image:
            square = image.resize((32, 32), Image.Resampling.BILINEAR)
        squares.append(np.array(square).transpose(2, 0, 1))
    return torch.from_numpy(np.stack(squares)).float()


@pytest.mark.slow
def test_weights_do_not_depend_on_how_pixels_come(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = TINY.model_copy(update={"grams": 0, "epochs": 1, "feed": "mapped"})
    (run,) = train(config, work_on(workspace))
    expected = weights(run.folder)
    monkeypatch.setattr("os.cpu_count", lambda: 3)  # decoding threads: another number of them
    for feed in ("resident", "files"):
        shutil.rmtree(run.folder)
        (run,) = train(config.model_copy(update={"feed": feed}), work_on(workspace))
        found = weights(run.folder)
        assert all(torch.equal(found[name], value) for name, value in expected.items()), feed


def test_packed_images_are_not_decoded_again(workspace: Workspace) -> None:
    output = curate("pack", "--image-size", TINY.image_size, "--workspace", workspace.root)
    assert "train 16, validation 6, test 6 images packed" in output
    shutil.rmtree(workspace.root / "data/images")
    (run,) = train(PLAIN, work_on(workspace))
    assert len(run.history) == 1
