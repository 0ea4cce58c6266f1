"""Zhang et al.'s augmentation: RandomResizedCrop and color jitter, drawn for each image."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from webemo_curate.training.augment.pixel_ops import (
    enhance_brightness,
    enhance_color,
    enhance_contrast,
)

MIN_AREA = 0.08
MAX_RATIO = 4 / 3
"""Ranges of torchvision's RandomResizedCrop: 0.08 to 1 of the area, aspect ratios 3:4 to 4:3."""

JITTER = 0.4


@dataclass(frozen=True)
class CropDraws:
    """The random draws for every image of an epoch.

    Attributes
    ----------
    boxes
        Width, height, left and top of the crop as shares of the side, shape (images, 4).
    factors
        Factors of brightness, contrast and saturation, shape (images, 3).
    """

    boxes: NDArray[np.float64]
    factors: NDArray[np.float64]

    @classmethod
    def of(cls, images: int, generator: np.random.Generator) -> "CropDraws":
        """Draw crops of uniform area and log-uniform ratio, and factors of 0.6 to 1.4."""
        area = generator.uniform(MIN_AREA, 1, images)
        ratio = np.exp(np.log(MAX_RATIO) * generator.uniform(-1, 1, images))
        # A crop too long for the image takes the full side; its area stays as drawn.
        width = np.clip(np.sqrt(area * ratio), area, 1)
        height = area / width
        corner = generator.random((images, 2)) * (1 - np.stack([width, height], axis=1))
        factors = generator.uniform(1 - JITTER, 1 + JITTER, (images, 3))
        return cls(np.column_stack([width, height, corner]), factors)

    def rows(self, rows: NDArray[np.int64]) -> "CropDraws":
        """Return the draws of some images."""
        return CropDraws(self.boxes[rows], self.factors[rows])


def crop_jitter(images: Tensor, draws: CropDraws) -> Tensor:
    """Crop, scale back and change the colors.

    Parameters
    ----------
    images : Tensor, shape (N, 3, S, S), uint8
        The batch, on any device.
    draws : CropDraws
        The draws of these images, in their order.

    Returns
    -------
    Tensor, shape (N, 3, S, S), uint8
        The augmented batch.
    """
    cropped = _crop(images, draws.boxes)
    brightness, contrast, saturation = draws.factors.T
    return enhance_color(
        enhance_contrast(enhance_brightness(cropped, brightness), contrast), saturation
    )


def _crop(images: Tensor, boxes: NDArray[np.float64]) -> Tensor:
    width, height, left, top = boxes.T
    zero = np.zeros_like(width)
    # In coordinates from -1 to 1, the center of a box is at 2 * left + width - 1.
    across = np.stack([width, zero, 2 * left + width - 1], axis=1)
    down = np.stack([zero, height, 2 * top + height - 1], axis=1)
    matrix = torch.from_numpy(np.stack([across, down], axis=1)).to(images.device, torch.float32)
    grid = functional.affine_grid(matrix, list(images.shape), align_corners=False)
    sampled = functional.grid_sample(
        images.float(), grid, padding_mode="border", align_corners=False
    )
    return sampled.round().to(torch.uint8)
