"""`curate show-augmentation` draws what training sees, beside the original."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.e2e.conftest import curate
from tests.trainable import draw
from webemo_curate.config import TrainConfig
from webemo_curate.report.augmentation_sheet import GAP, draw_augmentations
from webemo_curate.training.augment.augmentation import Augmentation

SIDE = 32


def test_a_row_holds_the_original_and_the_draws_of_training(tmp_path: Path) -> None:
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for number, path in enumerate(paths):
        draw(path, number, np.random.default_rng(number))
    config = TrainConfig(image_size=SIDE, seed=4)
    draw_augmentations(paths, 3, config, 10**6, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    step = SIDE + GAP
    assert sheet.shape == (2 * step + GAP, 4 * step + GAP, 3)

    def square(row: int, column: int) -> np.ndarray:
        top, left = GAP + row * step, GAP + column * step
        return sheet[top : top + SIDE, left : left + SIDE]

    originals = np.stack([square(row, 0) for row in range(2)]).transpose(0, 3, 1, 2)
    for epoch in range(3):
        seen = Augmentation(config, 2, 4, epoch)(torch.tensor(originals), np.arange(2))
        for row in range(2):
            assert np.array_equal(square(row, epoch + 1), seen[row].numpy().transpose(1, 2, 0))


@pytest.mark.slow
def test_the_command_draws_and_names_what_is_no_image(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", 0, np.random.default_rng(0))
    to = tmp_path / "out.png"
    place = ["--workspace", tmp_path, "--image-size", str(SIDE)]
    assert f"Written: {to}" in curate(
        "show-augmentation", tmp_path / "a.png", "--draws", "2", "--to", to, *place
    )
    assert Image.open(to).width == 3 * (SIDE + GAP) + GAP
