"""The crop in imgaug's RandAugment: a little off each edge of every image, then scaled back.

imgaug 0.4 does this before it draws any operation (`RandAugment._create_initial_augmenters_list`),
with OpenCV's bilinear scaling. OpenCV scales in whole numbers, and so does this module: results are
equal on every device, and within one level of OpenCV's (one value in a thousand differs).
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

CROP_BASE = 224
"""imgaug cuts U(0, M) / 224 of the side, because Cubuk et al. crop M pixels of images of 224."""

WEIGHT_BITS = 11
"""OpenCV's bilinear weights are 11-bit fixed-point numbers."""

ROW_SHIFT, WEIGHTED_SHIFT, LAST_SHIFT = 4, 16, 2
"""OpenCV drops 4 bits of a row's sums and 16 of the weighted rows, then rounds 2 away."""

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
    across = _blended(left, side - left - right, side)
    down = _blended(top, side - top - bottom, side)
    # Channel by channel, and columns as rows, which are contiguous: all stays in a core's cache.
    columns = (_weigh_across(np.asarray(cv2.transpose(p), np.uint8), *across) for p in planes)
    return np.stack([_weigh_down(np.asarray(cv2.transpose(c), np.int16), *down) for c in columns])


def _weigh_across(
    lines: NDArray[np.uint8],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    share: NDArray[np.int32],
) -> NDArray[np.int16]:
    """Blend lines, and drop `ROW_SHIFT` bits: low * (2048 - share) + high * share >> 4.

    In 16 bits: with d = high - low and share = 16 c + f it is 128 low + c d + (f d >> 4).
    """
    coarse, fine = np.divmod(share.astype(np.int16)[:, None], 2**ROW_SHIFT)
    first = lines.take(low, axis=0).astype(np.int16)
    difference = lines.take(high, axis=0).astype(np.int16)
    difference -= first
    sums = difference * fine
    sums >>= ROW_SHIFT
    difference *= coarse
    sums += difference
    first <<= WEIGHT_BITS - ROW_SHIFT
    sums += first
    return sums


def _weigh_down(
    lines: NDArray[np.int16],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    share: NDArray[np.int32],
) -> NDArray[np.uint8]:
    """Blend lines that `_weigh_across` made, and round to levels."""
    whole = lines.astype(np.int32)
    sums = np.full_like(whole, 1 << LAST_SHIFT >> 1)
    for numbers, weights in ((low, 2**WEIGHT_BITS - share), (high, share)):
        part = whole.take(numbers, axis=0)
        part *= weights[:, None]
        part >>= WEIGHTED_SHIFT
        sums += part
    sums >>= LAST_SHIFT
    return sums.astype(np.uint8)


def _cuts(shares: NDArray[np.float64], magnitude: float, side: int) -> NDArray[np.int64]:
    """Return the pixels cut from each edge; one remains, however much is asked for."""
    cut = np.round(shares * magnitude / CROP_BASE * side).astype(np.int64)
    return np.minimum(cut, (side - 1) // 2)


def _blended(
    start: NDArray[np.int64], length: NDArray[np.int64], side: int
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
