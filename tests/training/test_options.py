"""Whatever the paper leaves open is a setting, documented, and does something."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from webemo_curate.config import TrainConfig
from webemo_curate.dataset.squares import read_square
from webemo_curate.models.registry import build_network
from webemo_curate.storage.image_files import ImageFiles

PAGE = Path(__file__).parents[2] / "docs" / "paper.md"
BASE = TrainConfig(backbone="tf_efficientnetv2_b0", grams=1, drop_path=0.0)


def test_the_page_of_open_points_names_settings_that_exist() -> None:
    table = PAGE.read_text().split("## What the paper leaves open")[1]
    cells = [line.split("|")[2] for line in table.splitlines() if line.startswith("| ")]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} - {"train"}
    assert len(named) >= 18
    assert named <= set(TrainConfig.model_fields)


def network_and_images(config: TrainConfig) -> tuple[nn.Module, torch.Tensor]:
    """Return a network in training, and images; equal ones at every call."""
    torch.manual_seed(0)
    return build_network(config).train(), torch.rand(4, 3, 64, 64)


def logits(config: TrainConfig) -> torch.Tensor:
    network, images = network_and_images(config)
    torch.manual_seed(1)
    network(images)  # moves the running statistics, by the momentum
    network.eval()
    with torch.inference_mode():
        return network(images)


@pytest.fixture(scope="module")
def expected() -> torch.Tensor:
    return logits(BASE)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("negative_slope", 0.01),
        ("normalise_gram", True),
        ("gram_activation", "silu"),
        ("main_order", "dropout-dense-activation"),
        ("bn_momentum", 0.5),
        ("bn_epsilon", 0.5),
        ("initialisation", "torch"),
        ("normalisation", "half"),
    ],
)
def test_an_option_of_the_network_changes_its_answers(
    expected: torch.Tensor, field: str, value: object
) -> None:
    assert not torch.equal(logits(BASE.model_copy(update={field: value})), expected)


@pytest.mark.parametrize("field", ["dropout", "drop_path"])
def test_what_is_dropped_in_training_is_drawn_anew(field: str) -> None:
    def draws(config: TrainConfig) -> list[torch.Tensor]:
        network, images = network_and_images(config)
        return [network(images) for _ in range(2)]  # of the running statistics it reads none

    steady = BASE.model_copy(update={"dropout": 0.0, "drop_path": 0.0})
    assert torch.equal(*draws(steady))
    assert not torch.equal(*draws(steady.model_copy(update={field: 0.8})))


@pytest.mark.parametrize(("field", "value"), [("resize", "crop"), ("interpolation", "bicubic")])
def test_an_option_of_resizing_changes_the_pixels(tmp_path: Path, field: str, value: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 90, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    config = TrainConfig(image_size=32)
    other = config.model_copy(update={field: value})
    squares = [read_square(ImageFiles(tmp_path), "a.png", one, 10**6) for one in (config, other)]
    assert squares[0].shape == squares[1].shape == (3, 32, 32)
    assert not np.array_equal(*squares)
