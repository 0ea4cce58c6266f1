"""Layers shared by all networks here: pixel normalization, Gram matrices, initialization."""

from collections.abc import Sequence
from typing import Any

import torch
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor, nn

HALF = (0.5, 0.5, 0.5)
"""Mean and deviation that map pixels to -1 to 1, for weights that expect this."""


class Normalize(nn.Module):
    """Subtract a mean and divide by a deviation, for each channel.

    Parameters
    ----------
    kind : {'weights', 'imagenet', 'half'}
        Source of mean and deviation: the weights' own, ImageNet's, or 0.5.
    weights : mapping
        timm's description of the backbone's weights, with `mean` and `std`.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, kind: str, weights: dict[str, Any]) -> None:
        super().__init__()
        mean, deviation = {
            "weights": (weights["mean"], weights["std"]),
            "imagenet": (IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD),
            "half": (HALF, HALF),
        }[kind]
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])
        self.register_buffer("deviation", torch.tensor(deviation)[:, None, None])

    def expect(self, mean: Sequence[float], deviation: Sequence[float]) -> None:
        """Replace mean and deviation, one value a channel, by those the loaded weights expect."""
        for buffer, values in ((self.mean, mean), (self.deviation, deviation)):
            buffer.copy_(torch.tensor(values)[:, None, None])

    def _load_from_state_dict(self, state: dict[str, Tensor], prefix: str, *rest: Any) -> None:
        """Load both; keep the present ones if the weights, from an earlier version, hold none."""
        for name, buffer in self.named_buffers():
            state.setdefault(prefix + name, buffer)
        super()._load_from_state_dict(state, prefix, *rest)

    def forward(self, images: Tensor) -> Tensor:
        """Normalize pixel values of 0 to 1, shape (N, 3, S, S)."""
        return (images - self.mean) / self.deviation


class InitializeAdded:
    """Initializes added layers; pass it to `Module.apply`.

    Parameters
    ----------
    kind : {'glorot', 'torch'}
        Keras's defaults for Dense and Conv2D (Glorot uniform kernels, zero biases), or torch's.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, layer: nn.Module) -> None:
        """Initialize one layer, if it has a kernel."""
        if self.kind == "glorot" and isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def gram_matrix(features: Tensor, *, normalise: bool = False) -> Tensor:
    """Return all inner products of feature maps (paper, equation 1), never in half precision.

    Parameters
    ----------
    features : Tensor, shape (N, C, H, W)
        Feature maps.
    normalise : bool, default False
        Whether to divide by C * H * W, as Zhang et al. do.

    Returns
    -------
    Tensor, shape (N, C, C), float32 or float64
        F F^T, for F of shape (C, H * W).
    """
    with torch.autocast(features.device.type, enabled=False):
        flat = features.to(torch.promote_types(features.dtype, torch.float32)).flatten(2)
        gram = flat @ flat.transpose(1, 2)
        return gram / (features[0].numel()) if normalise else gram
