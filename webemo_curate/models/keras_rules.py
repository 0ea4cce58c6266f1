"""Keras's rules where torch and timm have others: stochastic depth and new batch norms."""

import torch
from timm.layers.drop import DropPath
from torch import Tensor, nn
from torch.nn import functional

UNSCALED_BLOCKS = {"tf_efficientnetv2_s": 40}
UNSCALED_BLOCKS_B = 21
"""Sums of `num_repeat` in `keras.applications`' tables, before a backbone's depth coefficient."""


def scale_stochastic_depth(backbone: nn.Module, name: str) -> None:
    """Give a timm EfficientNetV2 the rates of Keras's: block i of n drops at rate * i / unscaled n.

    timm divides by the blocks that are there. Keras divides by those of its unscaled table, so
    that a deeper network drops more: the last block of B2 at 0.2 * 27 / 21 = 0.257.

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
    """Batch norm whose running variance is the batch's own, not an estimate of the population's.

    torch multiplies a batch's variance by n / (n - 1) before it goes into the running one; Keras's
    layer, outside of its fused kernels for images, does not.
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
