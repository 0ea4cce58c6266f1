"""Keras's rules where torch and timm differ: stochastic depth and new batch norms."""

import torch
from timm.layers.drop import DropPath
from torch import Tensor, nn
from torch.nn import functional

UNSCALED_BLOCKS = {"tf_efficientnetv2_s": 40}
UNSCALED_BLOCKS_B = 21
"""Sum of `num_repeat` in `keras.applications`' block tables, before the depth coefficient."""


def scale_stochastic_depth(backbone: nn.Module, name: str) -> None:
    """Set Keras's stochastic depth in a timm EfficientNetV2: block i drops at rate * i / n.

    timm sets n to the number of blocks present. Keras uses that of its unscaled table, so a deeper
    network drops more: the last block of B2 at 0.2 * 27 / 21 = 0.257.

    Parameters
    ----------
    backbone : Module
        timm's network with timm's rates; changed in place.
    name : str
        timm's name of it.
    """
    stages = backbone.get_submodule("blocks")
    blocks = sum(len(list(stage.children())) for stage in stages.children())
    factor = blocks / UNSCALED_BLOCKS.get(name, UNSCALED_BLOCKS_B)
    for module in stages.modules():
        if isinstance(module, DropPath):
            module.drop_prob *= factor


class KerasBatchNorm1d(nn.BatchNorm1d):
    """Batch norm whose running variance is that of the batch, not an estimate of the population's.

    torch multiplies a batch's variance by n / (n - 1) before it updates the running variance;
    Keras's layer does not, except in its fused kernels for images.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Normalize features of shape (N, C)."""
        if not self.training:
            return super().forward(input)
        with torch.no_grad():
            exact = torch.promote_types(input.dtype, torch.float32)
            variance, mean = torch.var_mean(input.to(exact), dim=0, correction=0)
            share = float(self.momentum or 0)
            self.running_mean.lerp_(mean, share)  # type: ignore[union-attr]
            self.running_var.lerp_(variance, share)  # type: ignore[union-attr]
            self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        return functional.batch_norm(
            input, None, None, self.weight, self.bias, training=True, eps=self.eps
        )
