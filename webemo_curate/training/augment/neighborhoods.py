"""Pillow's operations on neighboring pixels, for batches of bytes: convolve and warp."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

FIXED_BITS = 16
"""Pillow's nearest-neighbor warp computes coordinates in 16-bit fixed point."""

SMOOTH_KERNEL = ((1, 1, 1), (1, 5, 1), (1, 1, 1))
BLUR_KERNEL = (
    (1, 1, 1, 1, 1),
    (1, 0, 0, 0, 1),
    (1, 0, 0, 0, 1),
    (1, 0, 0, 0, 1),
    (1, 1, 1, 1, 1),
)
"""`ImageFilter.SMOOTH` and `ImageFilter.BLUR`, each divided by its sum."""


def convolve(images: Tensor, kernel: tuple[tuple[int, ...], ...]) -> Tensor:
    """Convolve and round; as in Pillow, border pixels that the kernel overhangs stay unchanged."""
    channels, border = images.shape[1], len(kernel) // 2
    weights = torch.tensor(kernel, device=images.device, dtype=torch.float32)
    stacked = weights.expand(channels, 1, *weights.shape)
    sums = functional.conv2d(images.float(), stacked, groups=channels)
    inner = slice(border, -border)
    result = images.clone()
    result[..., inner, inner] = (sums / weights.sum() + 0.5).floor().to(torch.uint8)
    return result


def warp(images: Tensor, matrix: tuple[NDArray[np.float64] | float, ...], fill: int) -> Tensor:
    """Take each pixel from the place that an affine map points to (`Image.transform`, nearest).

    Parameters
    ----------
    images : Tensor, shape (N, 3, S, S), uint8
        The source images.
    matrix : tuple of float or ndarray of shape (N,)
        a, b, c, d, e, f of x' = a x + b y + c, y' = d x + e y + f, in pixels.
    fill : int
        Level of pixels that the map takes from outside the image.

    Returns
    -------
    Tensor, shape (N, 3, S, S), uint8
        The warped images.
    """
    count, _, side, _ = images.shape
    a, b, c, d, e, f = (np.broadcast_to(np.asarray(m, np.float64), count) for m in matrix)
    x = _source(a, b, c, side, images.device)
    y = _source(d, e, f, side, images.device)
    outside = (x < 0) | (x >= side) | (y < 0) | (y >= side)
    index = (y * side + x).masked_fill(outside, 0).flatten(1)[:, None].expand(-1, 3, -1)
    moved = images.flatten(2).gather(2, index).view_as(images)
    return moved.masked_fill(outside[:, None], fill)


def _source(
    along_x: NDArray[np.float64],
    along_y: NDArray[np.float64],
    shift: NDArray[np.float64],
    side: int,
    device: torch.device,
) -> Tensor:
    """Return one source coordinate of every pixel, in whole pixels; shape (N, S, S), int64."""
    parts = np.stack([along_x, along_y, shift + (along_x + along_y) / 2])  # of pixel centers
    fixed = torch.from_numpy(np.floor(parts * 2**FIXED_BITS + 0.5).astype(np.int64)).to(device)
    step_x, step_y, start = fixed[:, :, None, None]
    places = torch.arange(side, device=device)
    return (start + step_x * places + step_y * places[:, None]) >> FIXED_BITS
