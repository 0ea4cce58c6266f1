"""EfficientNetV2 with Gram modules on a shallow feature map (paper, section 3, figures 2 and 3)."""

from dataclasses import dataclass
from typing import Any

import timm
import torch
from torch import Tensor, nn

CLASSES = 2
TAP_STAGE, TAP_BLOCK = 2, 1
"""Keras's `block3b_project_conv` is timm's `blocks[2][1].conv_pwl`, before its batch norm."""

BASELINE_UNITS = 3
"""The head of the baseline (k = 0) is as wide as that of three modules: 168 for B2."""


@dataclass(frozen=True)
class HeadOptions:
    """What the paper leaves open of its added layers.

    Attributes
    ----------
    dropout
        Of the main branch's features.
    negative_slope
        Of every LeakyReLU.
    normalise_gram
        Divide the Gram matrix by C * H * W, as Zhang et al. do; the paper's equation 1 does not.
    bn_momentum
        Of added batch norms, in torch's sense (Keras's 0.99 is 0.01 here).
    """

    dropout: float = 0.5
    negative_slope: float = 0.2
    normalise_gram: bool = False
    bn_momentum: float = 0.01


KERAS_BN_EPSILON = 1e-3
"""Keras's default of the BatchNormalization layer."""


class GramModule(nn.Module):
    """One Gram module: correlations of feature maps gate their own pooled projection.

    Parameters
    ----------
    channels : int
        C, of the tapped feature map.
    options : HeadOptions
        Slopes and batch norm.
    """

    def __init__(self, channels: int, options: HeadOptions) -> None:
        super().__init__()
        self.compress = nn.Linear(channels * channels, channels)
        self.norm = nn.BatchNorm1d(channels, eps=KERAS_BN_EPSILON, momentum=options.bn_momentum)
        self.project = nn.Conv2d(channels, channels, kernel_size=1)
        self.activation = nn.LeakyReLU(options.negative_slope)

    def forward(self, features: Tensor, gram: Tensor) -> Tensor:
        """Combine a feature map with its Gram matrix.

        Parameters
        ----------
        features : Tensor, shape (N, C, H, W)
            The tap.
        gram : Tensor, shape (N, C * C), float32
            Its flattened Gram matrix.

        Returns
        -------
        Tensor, shape (N, C)
            The element-wise product of both branches.
        """
        with torch.autocast(features.device.type, enabled=False):
            # Unscaled Gram values overflow half precision.
            correlations = self.norm(self.activation(self.compress(gram)))
        pooled = self.activation(self.project(features)).mean(dim=(2, 3))
        return correlations * pooled


class GramEfficientNet(nn.Module):
    """A timm EfficientNetV2 whose head adds k Gram modules to the pooled features.

    Parameters
    ----------
    backbone : str
        A timm name such as `tf_efficientnetv2_b2`.
    grams : int
        Number of modules, k; 0 is the baseline.
    drop_path : float
        Rate of stochastic depth at the last block, growing linearly (Keras's 0.2).
    options : HeadOptions
        The added layers.
    """

    def __init__(self, backbone: str, grams: int, drop_path: float, options: HeadOptions) -> None:
        super().__init__()
        network: Any = timm.create_model(
            backbone, pretrained=False, num_classes=0, drop_path_rate=drop_path
        )
        self.backbone = network
        self._tapped: Tensor | None = None
        tap = network.blocks[TAP_STAGE][TAP_BLOCK].conv_pwl
        tap.register_forward_hook(self._keep)
        self.tap_channels = int(tap.out_channels)
        self._normalise = options.normalise_gram
        width = self.tap_channels * (grams or BASELINE_UNITS)
        self.main = nn.Sequential(
            nn.Dropout(options.dropout),
            nn.LeakyReLU(options.negative_slope),
            nn.Linear(network.num_features, width),
        )
        self.gram_modules = nn.ModuleList(
            GramModule(self.tap_channels, options) for _ in range(grams)
        )
        self.output = nn.Linear(width, CLASSES)
        for layer in (self.main, self.gram_modules, self.output):
            layer.apply(_initialise_as_keras)

    def _keep(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:  # noqa: ARG002
        self._tapped = output

    def forward(self, images: Tensor) -> Tensor:
        """Classify images.

        Parameters
        ----------
        images : Tensor, shape (N, 3, S, S)
            Normalised with ImageNet's mean and deviation.

        Returns
        -------
        Tensor, shape (N, 2), float32
            Logits of others and sadness.
        """
        fused = self.main(self.backbone(images))
        if self.gram_modules and self._tapped is not None:
            gram = gram_matrix(self._tapped, normalise=self._normalise).flatten(1)
            fused = fused + torch.cat([m(self._tapped, gram) for m in self.gram_modules], dim=1)
        self._tapped = None
        return self.output(fused).float()


def gram_matrix(features: Tensor, *, normalise: bool = False) -> Tensor:
    """Return all inner products of feature maps (paper, equation 1), in float32.

    Parameters
    ----------
    features : Tensor, shape (N, C, H, W)
        Feature maps.
    normalise : bool, default False
        Divide by C * H * W.

    Returns
    -------
    Tensor, shape (N, C, C)
        F F^T for F of shape (C, H * W).
    """
    with torch.autocast(features.device.type, enabled=False):
        flat = features.float().flatten(2)
        gram = flat @ flat.transpose(1, 2)
        return gram / flat[0].numel() if normalise else gram


def _initialise_as_keras(layer: nn.Module) -> None:
    """Glorot uniform kernels and zero biases: Keras's defaults for Dense and Conv2D."""
    if isinstance(layer, nn.Linear | nn.Conv2d):
        nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
