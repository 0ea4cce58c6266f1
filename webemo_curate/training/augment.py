"""RandAugment drawn anew for every image, on the device, from a counter-based random state.

The ops and their magnitudes are imgaug's (its RandAugment with n = 3, m = 7 is what Keras's own
example calls): magnitude on a scale of 0 to 30, ops drawn without replacement, fill 128.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

SCALE = 30
FILL = 128.0 / 255.0
LUMA = (0.299, 0.587, 0.114)
"""ITU-R 601-2, as Pillow's conversion to gray."""

MAX_ROTATION_DEGREES = 30.0
MAX_SHEAR = 0.3
MAX_TRANSLATION = 0.3
MAX_ENHANCEMENT = 0.9
MAX_POSTERIZED_BITS = 4
LEVELS = 255

Op = Callable[[Tensor, float], Tensor]


def rand_augment(images: Tensor, ops: int, magnitude: float, generator: torch.Generator) -> Tensor:
    """Augment each image by its own draw of ops, then flip half of them.

    Parameters
    ----------
    images : Tensor, shape (N, 3, S, S), float32
        Pixels in 0 to 1.
    ops : int
        N of RandAugment: ops for each image, without replacement.
    magnitude : float
        M of RandAugment, 0 to 30.
    generator : torch.Generator
        On the CPU; all draws come from it, in the order of the images.

    Returns
    -------
    Tensor, shape (N, 3, S, S)
        Augmented pixels in 0 to 1.
    """
    strength = magnitude / SCALE
    augmented = []
    for image in images:
        chosen = torch.randperm(len(OPS), generator=generator)[:ops].tolist()
        signs = (torch.randint(0, 2, (ops + 1,), generator=generator) * 2 - 1).tolist()
        result = image
        for index, sign in zip(chosen, signs, strict=False):
            result = OPS[index](result, sign * strength).clamp(0, 1)
        augmented.append(result.flip(-1) if signs[-1] > 0 else result)
    return torch.stack(augmented)


def identity(image: Tensor, strength: float) -> Tensor:  # noqa: ARG001
    """Leave the image as it is."""
    return image


def auto_contrast(image: Tensor, strength: float) -> Tensor:  # noqa: ARG001
    """Stretch each channel to the full range, as `ImageOps.autocontrast`."""
    low, high = image.amin(dim=(1, 2), keepdim=True), image.amax(dim=(1, 2), keepdim=True)
    flat = high <= low
    return torch.where(flat, image, (image - low) / torch.where(flat, 1.0, high - low))


def equalize(image: Tensor, strength: float) -> Tensor:  # noqa: ARG001
    """Flatten each channel's histogram, as `ImageOps.equalize`."""
    return torch.stack([_equalize_channel(channel) for channel in image])


def invert(image: Tensor, strength: float) -> Tensor:  # noqa: ARG001
    """Turn the image into its negative."""
    return 1 - image


def posterize(image: Tensor, strength: float) -> Tensor:
    """Drop up to four low bits of each channel."""
    step = 2 ** round(MAX_POSTERIZED_BITS * abs(strength))
    return torch.div((image * LEVELS).round(), step, rounding_mode="floor") * step / LEVELS


def solarize(image: Tensor, strength: float) -> Tensor:
    """Invert pixels above a threshold that falls with the magnitude."""
    return torch.where(image >= 1 - abs(strength), 1 - image, image)


def color(image: Tensor, strength: float) -> Tensor:
    """Blend with its gray version, as `ImageEnhance.Color`."""
    return _blend(_gray(image).expand_as(image), image, strength)


def contrast(image: Tensor, strength: float) -> Tensor:
    """Blend with its mean gray, as `ImageEnhance.Contrast`."""
    return _blend(_gray(image).mean().expand_as(image), image, strength)


def brightness(image: Tensor, strength: float) -> Tensor:
    """Blend with black, as `ImageEnhance.Brightness`."""
    return _blend(torch.zeros_like(image), image, strength)


def sharpness(image: Tensor, strength: float) -> Tensor:
    """Blend with a smoothed version, as `ImageEnhance.Sharpness`; the border stays as it is."""
    kernel = torch.ones(3, 1, 3, 3, device=image.device)
    kernel[:, :, 1, 1] = 5
    smooth = image.clone()
    smooth[:, 1:-1, 1:-1] = functional.conv2d(image[None], kernel / 13, groups=3)[0]
    return _blend(smooth, image, strength)


def rotate(image: Tensor, strength: float) -> Tensor:
    """Rotate by up to 30 degrees."""
    angle = math.radians(MAX_ROTATION_DEGREES) * strength
    return _warp(image, math.cos(angle), math.sin(angle), -math.sin(angle), math.cos(angle))


def shear_x(image: Tensor, strength: float) -> Tensor:
    """Shear along x by up to 0.3."""
    return _warp(image, 1.0, MAX_SHEAR * strength, 0.0, 1.0)


def shear_y(image: Tensor, strength: float) -> Tensor:
    """Shear along y by up to 0.3."""
    return _warp(image, 1.0, 0.0, MAX_SHEAR * strength, 1.0)


def translate_x(image: Tensor, strength: float) -> Tensor:
    """Shift along x by up to 0.3 of the width."""
    return _warp(image, 1.0, 0.0, 0.0, 1.0, x=2 * MAX_TRANSLATION * strength)


def translate_y(image: Tensor, strength: float) -> Tensor:
    """Shift along y by up to 0.3 of the height."""
    return _warp(image, 1.0, 0.0, 0.0, 1.0, y=2 * MAX_TRANSLATION * strength)


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
)
"""RandAugment's transformations (Cubuk et al. 2020, section 3.1)."""


def _gray(image: Tensor) -> Tensor:
    weights = torch.tensor(LUMA, device=image.device)[:, None, None]
    return (image * weights).sum(dim=0, keepdim=True)


def _blend(degenerate: Tensor, image: Tensor, strength: float) -> Tensor:
    """Move away from (positive strength) or towards the degenerate image."""
    return degenerate + (image - degenerate) * (1 + MAX_ENHANCEMENT * strength)


def _equalize_channel(channel: Tensor) -> Tensor:
    """Pillow's rule: a step is the pixel count less the last level's, divided by 255."""
    levels = (channel * LEVELS).round().long()
    histogram = torch.bincount(levels.flatten(), minlength=LEVELS + 1)
    occupied = histogram[histogram > 0]
    step = int((occupied.sum() - occupied[-1]) // LEVELS)
    if len(occupied) <= 1 or step == 0:
        return channel
    below = histogram.cumsum(0) - histogram
    table = ((below + step // 2) // step).clamp(0, LEVELS)
    return table[levels].to(channel.dtype) / LEVELS


def _warp(
    image: Tensor, xx: float, xy: float, yx: float, yy: float, *, x: float = 0.0, y: float = 0.0
) -> Tensor:
    """Sample at an affine map of the coordinates (-1 to 1); outside is gray 128."""
    matrix = torch.tensor([[[xx, xy, x], [yx, yy, y]]], device=image.device, dtype=image.dtype)
    grid = functional.affine_grid(matrix, [1, *image.shape], align_corners=False)
    # Sampling the difference from the fill makes zero padding the fill.
    return functional.grid_sample((image - FILL)[None], grid, align_corners=False)[0] + FILL
