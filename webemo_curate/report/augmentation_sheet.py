"""Pictures beside what augmentation makes of them: the paper's figure 4."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from webemo_curate.config import TrainConfig
from webemo_curate.dataset.squares import read_named_squares
from webemo_curate.storage.atomic import atomic_path
from webemo_curate.training.augment.augmentation import Augmentation

GAP = 8


def draw_augmentations(
    images: Sequence[Path], draws: int, config: TrainConfig, max_pixels: int, file: Path
) -> None:
    """Draw a row for each image: as training reads it, then as it sees it in the first epochs.

    Parameters
    ----------
    images : sequence of Path
        Image files.
    draws : int
        Augmented pictures an image: that of epoch 0, 1, ...
    config : TrainConfig
        Size, augmentation and seed.
    max_pixels : int
        Largest width times height that is decoded.
    file : Path
        A PNG, written whole or not at all.

    Raises
    ------
    InputError
        If an image cannot be read.
    """
    originals = torch.from_numpy(read_named_squares(images, config, max_pixels))
    rows = np.arange(len(images))
    columns = [originals]
    for epoch in range(draws):
        augment = Augmentation(config, len(images), config.seed, epoch)
        columns.append(augment(originals, rows))
    with atomic_path(file) as partial:
        _sheet(torch.stack(columns, dim=1).numpy()).save(partial, "PNG")


def _sheet(squares: NDArray[np.uint8]) -> Image.Image:
    """Lay out squares of shape (rows, columns, 3, S, S) on white."""
    rows, columns = squares.shape[:2]
    step = squares.shape[-1] + GAP
    sheet = Image.new("RGB", (columns * step + GAP, rows * step + GAP), "white")
    for row, column in np.ndindex(rows, columns):
        pixels = np.ascontiguousarray(squares[row, column].transpose(1, 2, 0))
        sheet.paste(Image.fromarray(pixels), (GAP + column * step, GAP + row * step))
    return sheet
