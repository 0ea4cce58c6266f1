"""RandAugment's operations on batches of bytes, drawn for each image, equal to Pillow's.

Every operation takes `(images, draw)` and returns images of the same shape: uint8, (N, 3, S, S).
The operations are exact in whole numbers: with equal parameters the result equals Pillow's to the
last bit, on any device.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from webemo_curate.training.augment.magnitudes import LEVELS, Draw
from webemo_curate.training.augment.neighborhoods import (
    BLUR_KERNEL,
    SMOOTH_KERNEL,
    convolve,
    warp,
)

TOP = LEVELS - 1

LUMA = (19595, 38470, 7471)
LUMA_ROUND, LUMA_SHIFT = 0x8000, 16
"""Pillow's weights for gray: ITU-R 601-2 in 16-bit fixed point."""


Op = Callable[[Tensor, Draw], Tensor]


def identity(images: Tensor, draw: Draw) -> Tensor:  # noqa: ARG001
    """Return the images unchanged."""
    return images


def auto_contrast(images: Tensor, draw: Draw) -> Tensor:  # noqa: ARG001
    """Stretch each channel to the full range (`ImageOps.autocontrast`)."""
    flat = images.flatten(2)
    low = flat.amin(dim=2, keepdim=True).double()
    span = flat.amax(dim=2, keepdim=True).double() - low
    # A channel of a single level stays unchanged: scale 1, offset 0.
    # torch computes a number divided by a tensor as the number times a rounded reciprocal.
    scale = torch.where(span > 0, torch.full_like(span, TOP) / span.clamp(min=1), 1.0)
    offset = torch.where(span > 0, -low * scale, 0.0)
    levels = torch.arange(LEVELS, device=images.device, dtype=torch.float64)
    return _look_up(images, (levels * scale + offset).trunc().clamp(0, TOP))


def equalize(images: Tensor, draw: Draw) -> Tensor:  # noqa: ARG001
    """Flatten each channel's histogram (`ImageOps.equalize`)."""
    levels = images.flatten(2).long()
    histogram = torch.zeros(*levels.shape[:2], LEVELS, dtype=torch.long, device=images.device)
    histogram.scatter_add_(2, levels, torch.ones_like(levels))
    last = histogram.gather(2, levels.amax(dim=2, keepdim=True))
    step = (histogram.sum(dim=2, keepdim=True) - last) // TOP
    below = histogram.cumsum(2) - histogram
    spread = (below + step // 2) // step.clamp(min=1)
    unchanged = torch.arange(LEVELS, device=images.device)
    return _look_up(images, torch.where(step > 0, spread, unchanged).clamp(max=TOP))


def invert(images: Tensor, draw: Draw) -> Tensor:  # noqa: ARG001
    """Turn the images into their negatives (`ImageOps.invert`)."""
    return TOP - images


def posterize(images: Tensor, draw: Draw) -> Tensor:
    """Drop up to six low bits (`ImageOps.posterize`)."""
    return images & (TOP >> draw.dropped_bits << draw.dropped_bits)


def solarize(images: Tensor, draw: Draw) -> Tensor:
    """Invert levels above a threshold that falls with magnitude (`ImageOps.solarize`)."""
    return torch.where(images.int() < draw.solarized_from, images, TOP - images)


def color(images: Tensor, draw: Draw) -> Tensor:
    """Blend with the gray version (`ImageEnhance.Color`)."""
    return enhance_color(images, draw.enhancements)


def contrast(images: Tensor, draw: Draw) -> Tensor:
    """Blend with the mean gray (`ImageEnhance.Contrast`)."""
    return enhance_contrast(images, draw.enhancements)


def brightness(images: Tensor, draw: Draw) -> Tensor:
    """Blend with black (`ImageEnhance.Brightness`)."""
    return enhance_brightness(images, draw.enhancements)


def sharpness(images: Tensor, draw: Draw) -> Tensor:
    """Blend with the smoothed version (`ImageEnhance.Sharpness`)."""
    return _blend(images, smooth(images, draw), draw.enhancements)


def smooth(images: Tensor, draw: Draw) -> Tensor:  # noqa: ARG001
    """Smooth (`ImageFilter.SMOOTH`)."""
    return convolve(images, SMOOTH_KERNEL)


def blur(images: Tensor, draw: Draw) -> Tensor:  # noqa: ARG001
    """Blur (`ImageFilter.BLUR`)."""
    return convolve(images, BLUR_KERNEL)


def rotate(images: Tensor, draw: Draw) -> Tensor:
    """Rotate about the center by up to 30 degrees."""
    return warp(images, draw.rotations(images.shape[-1]), draw.fill)


def shear_x(images: Tensor, draw: Draw) -> Tensor:
    """Shear along x by up to 0.3 radians, from the top left corner."""
    return warp(images, draw.shears_x(), draw.fill)


def shear_y(images: Tensor, draw: Draw) -> Tensor:
    """Shear along y by up to 0.3 radians, from the top left corner."""
    return warp(images, draw.shears_y(), draw.fill)


def translate_x(images: Tensor, draw: Draw) -> Tensor:
    """Shift along x by up to 0.33 of the width."""
    return warp(images, draw.shifts_x(images.shape[-1]), draw.fill)


def translate_y(images: Tensor, draw: Draw) -> Tensor:
    """Shift along y by up to 0.33 of the height."""
    return warp(images, draw.shifts_y(images.shape[-1]), draw.fill)


def cutout(images: Tensor, draw: Draw) -> Tensor:
    """Fill a square of up to 20/32 of the side; it may reach over the border."""
    side = images.shape[-1]
    begin, end = (places[:, :, None] for places in draw.squares(side))
    places = np.arange(side)
    inside = torch.from_numpy((places >= begin) & (places < end)).to(images.device)
    covered = inside[:, 0, None, None, :] & inside[:, 1, None, :, None]
    return images.masked_fill(covered, draw.fill)


def enhance_color(images: Tensor, factors: NDArray[np.float64]) -> Tensor:
    """Change saturation by a factor for each image (`ImageEnhance.Color`)."""
    return _blend(images, _gray(images).expand_as(images), factors)


def enhance_contrast(images: Tensor, factors: NDArray[np.float64]) -> Tensor:
    """Change contrast by a factor for each image (`ImageEnhance.Contrast`)."""
    mean = _gray(images).double().mean(dim=(1, 2, 3), keepdim=True)
    return _blend(images, (mean + 0.5).floor().expand_as(images), factors)


def enhance_brightness(images: Tensor, factors: NDArray[np.float64]) -> Tensor:
    """Change brightness by a factor for each image (`ImageEnhance.Brightness`)."""
    return _blend(images, torch.zeros_like(images), factors)


OPS: tuple[Op, ...] = (
    identity,
    auto_contrast,
    equalize,
    invert,
    rotate,
    posterize,
    solarize,
    color,
    contrast,
    brightness,
    sharpness,
    shear_x,
    shear_y,
    translate_x,
    translate_y,
    cutout,
    blur,
    smooth,
)
"""imgaug's operations, in its order."""


def _look_up(images: Tensor, table: Tensor) -> Tensor:
    """Replace levels by the values in each channel's table; shape (N, 3, 256)."""
    return table.to(torch.uint8).gather(2, images.flatten(2).long()).view_as(images)


def _gray(images: Tensor) -> Tensor:
    weights = torch.tensor(LUMA, device=images.device, dtype=torch.int32)[:, None, None]
    return ((images.int() * weights).sum(dim=1, keepdim=True) + LUMA_ROUND) >> LUMA_SHIFT


def _blend(images: Tensor, degenerate: Tensor, factors: NDArray[np.float64]) -> Tensor:
    """Blend as `Image.blend` does: in float32, clipped and truncated, not rounded."""
    alpha = torch.from_numpy(factors).to(images.device, torch.float32)[:, None, None, None]
    base = degenerate.float()
    return (base + alpha * (images.float() - base)).clamp(0, TOP).to(torch.uint8)
