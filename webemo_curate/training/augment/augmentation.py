"""RandAugment (Cubuk et al. 2020) on the device, with separate draws for each image.

An image's augmentation depends only on the seed, the epoch and its row, not on its batch, the batch
size or the number of devices.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from webemo_curate.config import TrainConfig
from webemo_curate.training.augment import pixel_ops, plane_ops
from webemo_curate.training.augment.crop_jitter import CropDraws, crop_jitter
from webemo_curate.training.augment.edge_crop import crop_edges, crop_planes
from webemo_curate.training.augment.magnitudes import Draw

FLIP_SHARE = 0.5
EDGES = ("top", "right", "bottom", "left")
STREAM = 1
"""Separates these draws from those of the epoch's order, which use the same seed."""


class Augmentation:
    """The augmentation of one epoch's images.

    Parameters
    ----------
    config : TrainConfig
        Kind and strength.
    images : int
        Number of images in the training set.
    seed, epoch : int
        Determine all draws.
    """

    def __init__(self, config: TrainConfig, images: int, seed: int, epoch: int) -> None:
        self.config = config
        generator = np.random.default_rng([seed, epoch, STREAM])
        ops = config.augment_ops if config.augment == "randaugment" else 0
        self._draws = EpochDraws.of(images, ops, generator)
        self._crops = CropDraws.of(images, generator) if config.augment == "crop-jitter" else None

    def __call__(self, images: Tensor, rows: NDArray[np.int64]) -> Tensor:
        """Augment a batch.

        Parameters
        ----------
        images : Tensor, shape (N, 3, S, S), uint8
            The batch, on any device.
        rows : ndarray of int64, shape (N,)
            The row of each image in the set.

        Returns
        -------
        Tensor, shape (N, 3, S, S), uint8
            The augmented batch.
        """
        if self.config.augment == "none":
            return images
        augmented = rand_augment(images, self._draws.rows(rows), self.config)
        return crop_jitter(augmented, self._crops.rows(rows)) if self._crops else augmented


@dataclass(frozen=True)
class EpochDraws:
    """The random draws for every image of an epoch.

    Attributes
    ----------
    ops
        Positions in `pixel_ops.OPS`, shape (images, N): distinct within a row, in order.
    signs
        1.0 or -1.0, shape (images, N).
    centers
        Shares of the side, shape (images, N, 2).
    flips
        Whether an image is mirrored first, shape (images,).
    edges
        Shares of the largest cut at the top, right, bottom and left edge, shape (images, 4).
    """

    ops: NDArray[np.int64]
    signs: NDArray[np.float64]
    centers: NDArray[np.float64]
    flips: NDArray[np.bool_]
    edges: NDArray[np.float64]

    @classmethod
    def of(cls, images: int, ops: int, generator: np.random.Generator) -> "EpochDraws":
        """Draw for an epoch.

        Parameters
        ----------
        images : int
            Number of images in the training set.
        ops : int
            N of RandAugment: operations for each image, without replacement.
        generator : numpy.random.Generator
            Source of all draws.

        Returns
        -------
        EpochDraws
            The draws, one row for each image.
        """
        return cls(
            ops=generator.random((images, len(pixel_ops.OPS))).argsort(axis=1)[:, :ops],
            signs=np.where(generator.random((images, ops)) < FLIP_SHARE, -1.0, 1.0),
            centers=generator.random((images, ops, 2)),
            flips=generator.random(images) < FLIP_SHARE,
            edges=generator.random((images, len(EDGES))),
        )

    def rows(self, rows: NDArray[np.int64] | slice) -> "EpochDraws":
        """Return the draws of some images."""
        return EpochDraws(
            self.ops[rows], self.signs[rows], self.centers[rows], self.flips[rows], self.edges[rows]
        )


def rand_augment(images: Tensor, draws: EpochDraws, config: TrainConfig) -> Tensor:
    """Mirror half of the images, cut their edges, then apply each image's own operations.

    Parameters
    ----------
    images : Tensor, shape (N, 3, S, S), uint8
        The batch, on any device.
    draws : EpochDraws
        The draws of these images, in their order.
    config : TrainConfig
        Magnitude, its scale, the fill level, and whether edges are cut.

    Returns
    -------
    Tensor, shape (N, 3, S, S), uint8
        The augmented batch.
    """
    on_cpu = images.device.type == "cpu" and draws.ops.shape[1] > 0
    return (augment_images if on_cpu else augment_batch)(images, draws, config)


def augment_images(images: Tensor, draws: EpochDraws, config: TrainConfig) -> Tensor:
    """Augment image by image; see `rand_augment`."""
    result = torch.empty_like(images)
    for row, (planes, changed) in enumerate(zip(images.numpy(), result.numpy(), strict=True)):
        changed[...] = _augment_image(planes, draws.rows(slice(row, row + 1)), config)
    return result


def _augment_image(
    planes: NDArray[np.uint8], draws: EpochDraws, config: TrainConfig
) -> NDArray[np.uint8]:
    if draws.flips[0]:
        planes = plane_ops.mirror(planes)
    if _crops(config):
        planes = crop_planes(planes, draws.edges[0], config.augment_magnitude)
    for slot, op in enumerate(draws.ops[0]):
        planes = plane_ops.OPS[op](planes, _draw(draws, slot, config))
    return planes


def augment_batch(images: Tensor, draws: EpochDraws, config: TrainConfig) -> Tensor:
    """Augment operation by operation, for many images at once; see `rand_augment`."""
    flips = torch.from_numpy(draws.flips).to(images.device)[:, None, None, None]
    result = torch.where(flips, images.flip(-1), images)
    if _crops(config):
        result = crop_edges(result, draws.edges, config.augment_magnitude)
    # Sorted by operation, the images of one are a slice: a GPU needs no masks and fewer launches.
    sorting = np.arange(len(result))
    for slot in range(draws.ops.shape[1]):
        order = np.argsort(draws.ops[sorting, slot], kind="stable")
        sorting = sorting[order]
        result = _apply(_pick(result, order), draws.rows(sorting), slot, config)
    return _pick(result, np.argsort(sorting))


def _crops(config: TrainConfig) -> bool:
    return config.augment == "randaugment" and config.augment_crop


def _draw(draws: EpochDraws, slot: int, config: TrainConfig) -> Draw:
    strength = config.augment_magnitude / config.augment_scale
    return Draw(strength, draws.signs[:, slot], draws.centers[:, slot], config.augment_fill)


def _apply(images: Tensor, draws: EpochDraws, slot: int, config: TrainConfig) -> Tensor:
    """Apply one op to each image, the images sorted by it."""
    ops, starts = np.unique(draws.ops[:, slot], return_index=True)
    parts = []
    for op, start, end in zip(ops, starts, [*starts[1:], len(images)], strict=True):
        draw = _draw(draws.rows(slice(start, end)), slot, config)
        parts.append(pixel_ops.OPS[op](images[start:end], draw))
    return torch.cat(parts)


def _pick(images: Tensor, rows: NDArray[np.int64]) -> Tensor:
    return images[torch.from_numpy(rows).to(images.device)]
