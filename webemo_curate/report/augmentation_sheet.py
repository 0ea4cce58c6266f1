"""Pictures beside what augmentation makes of them: the paper's figure 4."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from webemo_curate.config import TrainConfig
from webemo_curate.dataset.squares import read_squares
from webemo_curate.storage.atomic import atomic_path
from webemo_curate.storage.image_files import ImageFiles
from webemo_curate.training.augment.augmentation import Augmentation

GAP = 8
FILES = ImageFiles(Path())
"""Reads files by the names a user gives them."""


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
    named = [(None, str(path.absolute())) for path in images]
    originals = torch.from_numpy(read_squares(FILES, named, config, max_pixels))
    rows = np.arange(len(images))
    columns = [originals]
    for epoch in range(draws):
        augment = Augmentation(config, len(images), config.seed, epoch)
        columns.append(augment(originals, rows))
    _sheet(torch.stack(columns, dim=1).numpy()).save_to(file)


class _Sheet:
    """Squares in rows on white."""

    def __init__(self, rows: int, columns: int, side: int) -> None:
        self._side = side + GAP
        size = (columns * self._side + GAP, rows * self._side + GAP)
        self._page = Image.new("RGB", size, "white")

    def paste(self, pixels: NDArray[np.uint8], row: int, column: int) -> None:
        """Put a square, shape (3, S, S), into its place."""
        picture = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
        self._page.paste(picture, (GAP + column * self._side, GAP + row * self._side))

    def save_to(self, file: Path) -> None:
        """Write the page as a PNG."""
        with atomic_path(file) as partial:
            self._page.save(partial, "PNG")


def _sheet(squares: NDArray[np.uint8]) -> _Sheet:
    """Lay out squares of shape (rows, columns, 3, S, S)."""
    rows, columns = squares.shape[:2]
    sheet = _Sheet(rows, columns, squares.shape[-1])
    for row, column in np.ndindex(rows, columns):
        sheet.paste(squares[row, column], row, column)
    return sheet
