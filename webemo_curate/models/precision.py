"""Number formats of pixels, and those that networks compute in."""

import torch
from torch import Tensor

CHANNELS = 3
"""Values of a pixel: red, green, blue."""

LEVELS = 255
"""Largest value of a uint8 pixel."""


def as_floats(images: Tensor) -> Tensor:
    """Map uint8 pixels to 0 to 1, channels last."""
    return (images.float() / LEVELS).contiguous(memory_format=torch.channels_last)


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the autocast context of the configured precision; the CPU always computes in fp32."""
    enabled = precision == "bf16" and device.type == "cuda"
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)
