"""The crop in imgaug's RandAugment: a little off each edge of every image, then scaled back.

imgaug 0.4 does this before it draws any operation (`RandAugment._create_initial_augmenters_list`),
with OpenCV's bilinear scaling. OpenCV scales in whole numbers, and so does this module: results are
equal on every device, and within one level of OpenCV's (one value in a thousand differs).
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from webemo_curate.training.augment.pixel_ops import TOP

CROP_BASE = 224
"""imgaug cuts U(0, M) / 224 of the side, because Cubuk et al. crop M pixels of images of 224."""

WEIGHT_BITS = 11
"""OpenCV's bilinear weights are 11-bit fixed-point numbers."""

ROW_SHIFT, WEIGHTED_SHIFT, LAST_SHIFT = 4, 16, 2
"""OpenCV drops 4 bits of a row's sums and 16 of the weighted rows, then rounds 2 away."""

SIZES = 2**12
"""Sizes of a cropped image for which it is noted whether OpenCV agrees: 289 at 256 px and M = 7."""

Planes = NDArray[np.uint8]


def crop_edges(images: Tensor, shares: NDArray[np.float64], magnitude: float) -> Tensor:
    """Cut each edge by its own share, and scale what remains back to the full side.

    Parameters
    ----------
    images : Tensor, shape (N, 3, S, S), uint8
        The batch, on any device.
    shares : ndarray of float64, shape (N, 4)
        Uniform draws, 0 to 1, for the top, right, bottom and left edge.
    magnitude : float
        M of RandAugment: at most M / 224 of the side is cut from an edge.

    Returns
    -------
    Tensor, shape (N, 3, S, S), uint8
        The cropped batch.
    """
    side = images.shape[-1]
    top, right, bottom, left = _cuts(shares, magnitude, side).T
    across = _Lines.of(left, side - left - right, side, images.device)
    down = _Lines.of(top, side - top - bottom, side, images.device)
    columns = across.weigh(images, dim=3)
    low, high = (part >> ROW_SHIFT for part in down.pick(columns[0] + columns[1], dim=2))
    low_weights, high_weights = down.weights(dim=2)
    rows = ((low * low_weights) >> WEIGHTED_SHIFT) + ((high * high_weights) >> WEIGHTED_SHIFT)
    return ((rows + (1 << LAST_SHIFT >> 1)) >> LAST_SHIFT).to(torch.uint8)


def crop_planes(planes: Planes, shares: NDArray[np.float64], magnitude: float) -> Planes:
    """Crop one image on the CPU as `crop_edges` crops a batch, equal to the last bit.

    Parameters
    ----------
    planes : ndarray of uint8, shape (3, S, S)
        The image.
    shares : ndarray of float64, shape (4,)
        As for `crop_edges`.
    magnitude : float
        M of RandAugment.

    Returns
    -------
    ndarray of uint8, shape (3, S, S)
        The cropped image.
    """
    side = planes.shape[-1]
    top, right, bottom, left = _cuts(shares, magnitude, side)
    kept = planes[:, top : side - bottom, left : side - right]
    if _opencv_agrees(*kept.shape[1:], side):
        return _scaled_by_opencv(kept, side)
    return _scaled(kept, side, side)


def _scaled(planes: Planes, height: int, width: int) -> Planes:
    low, high, share = _blended(0, planes.shape[2], width)
    columns = planes.take(low, axis=2) * (2**WEIGHT_BITS - share)
    columns += planes.take(high, axis=2) * share
    columns >>= ROW_SHIFT
    low, high, share = _blended(0, planes.shape[1], height)
    rows = columns.take(low, axis=1) * (2**WEIGHT_BITS - share)[:, None] >> WEIGHTED_SHIFT
    rows += columns.take(high, axis=1) * share[:, None] >> WEIGHTED_SHIFT
    return (rows + (1 << LAST_SHIFT >> 1) >> LAST_SHIFT).astype(np.uint8)


def _scaled_by_opencv(planes: Planes, side: int) -> Planes:
    """Scale to a square of `side` as `_scaled` does, in a quarter of the time.

    OpenCV makes the first and the last row of one row's two shares, each rounded by itself.
    """
    scaled = np.stack([cv2.resize(plane, (side, side)) for plane in planes])
    scaled[:, [0, -1]] = _scaled(planes[:, [0, -1]], 2, side)
    return scaled


@lru_cache(SIZES)
def _opencv_agrees(height: int, width: int, side: int) -> bool:
    """Return whether OpenCV, as it is installed here, scales noise of a size to the same bytes.

    OpenCV 5.0 does at the even sides from 32 to 512 pixels that were tried, and not at 299.
    """
    noise = np.random.default_rng(0).integers(-TOP // 2, 3 * TOP // 2, (1, height, width))
    probe = noise.clip(0, TOP).astype(np.uint8)
    return np.array_equal(_scaled_by_opencv(probe, side), _scaled(probe, side, side))


def _cuts(shares: NDArray[np.float64], magnitude: float, side: int) -> NDArray[np.int64]:
    """Return the pixels cut from each edge; one remains, however much is asked for."""
    cut = np.round(shares * magnitude / CROP_BASE * side).astype(np.int64)
    return np.minimum(cut, (side - 1) // 2)


def _blended(
    start: NDArray[np.int64] | int, length: NDArray[np.int64] | int, side: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Say of which two lines each of `side` lines is made, and the second's weight in 11 bits.

    `length` lines from `start` on are scaled to `side`, as OpenCV places them; numbers or columns.
    """
    last = length - 1
    places = np.clip((np.arange(side) + 0.5) * (length / side) - 0.5, 0, last)
    whole = np.floor(places).astype(np.int64)
    share = np.rint((places - whole) * 2**WEIGHT_BITS).astype(np.int32)
    return whole + start, np.minimum(whole + 1, last) + start, share


@dataclass(frozen=True)
class _Lines:
    """For each line of the scaled image, the two lines of the image that it is blended from.

    Attributes
    ----------
    first, second
        Line numbers in the whole image, shape (N, S), int64.
    share
        Weight of the second line as an 11-bit fixed-point number, shape (N, S), int32.
    """

    first: Tensor
    second: Tensor
    share: Tensor

    @classmethod
    def of(
        cls, start: NDArray[np.int64], length: NDArray[np.int64], side: int, device: torch.device
    ) -> "_Lines":
        """Scale `length` lines from `start` on to `side` lines, placed as in OpenCV."""
        lines = _blended(start[:, None], length[:, None], side)
        return cls(*(torch.from_numpy(part).to(device) for part in lines))

    def pick(self, images: Tensor, dim: int) -> tuple[Tensor, Tensor]:
        """Return the first and second lines of every image along a dimension."""
        shape = list(images.shape)
        shape[dim] = self.first.shape[1]
        first, second = (
            images.gather(dim, _along(lines, dim).expand(shape))
            for lines in (self.first, self.second)
        )
        return first, second

    def weights(self, dim: int) -> tuple[Tensor, Tensor]:
        """Return the weights of the first and second lines, as factors for images."""
        share = _along(self.share, dim)
        return 2**WEIGHT_BITS - share, share

    def weigh(self, images: Tensor, dim: int) -> tuple[Tensor, Tensor]:
        """Return the first and second lines, each multiplied by its weight."""
        (first, second), (low, high) = self.pick(images, dim), self.weights(dim)
        return first * low, second * high


def _along(values: Tensor, dim: int) -> Tensor:
    """Reshape values of shape (N, S) to those of images that vary along one dimension only."""
    return values[:, None, :, None] if dim == 2 else values[:, None, None, :]
