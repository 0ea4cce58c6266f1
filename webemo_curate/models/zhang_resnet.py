"""Multi-level ResNet-50 of Zhang et al. (2022), with which the paper compares its network."""

from typing import Any, ClassVar

import timm
import torch
from torch import Tensor, nn

from webemo_curate.config import TrainConfig
from webemo_curate.models.layers import InitializeAdded, Normalize, gram_matrix
from webemo_curate.verdicts import BINARY

BACKBONE = "resnet50.tv_in1k"
"""timm's name of torchvision's first weights, which papers of 2022 used."""

BRANCHES = ((64, 64), (64, 256), (256, 512))
"""Channels and dense units of the Gram branches: on the stem, the pooled stem and layer 1."""


class GramBranch(nn.Module):
    """A normalized Gram matrix compressed by a dense layer with ReLU.

    Parameters
    ----------
    channels : int
        C, the channels of the feature map.
    units : int
        Width of the dense layer.
    """

    def __init__(self, channels: int, units: int) -> None:
        super().__init__()
        self.compress = nn.Linear(channels * channels, units)

    def forward(self, features: Tensor) -> Tensor:
        """Map features of shape (N, C, H, W) to (N, units)."""
        gram = gram_matrix(features, normalise=True).flatten(1)
        return self.compress(gram).relu()


class ZhangResNet(nn.Module):
    """ResNet-50 whose pooled features are joined with three shallow Gram branches.

    Parameters
    ----------
    config : TrainConfig
        Dropout, batch norm and initialization of the added layers.

    classes : int, default 2
        Number of units of the output layer.

    Attributes
    ----------
    name
        Value of `TrainConfig.network`.
    last_feature_layer
        Module of the backbone whose output is pooled.
    takes_grams
        Whether `TrainConfig.grams` has an effect.
    """

    name: ClassVar[str] = "zhang"
    last_feature_layer: ClassVar[str] = "layer4"
    takes_grams: ClassVar[bool] = False

    def __init__(self, config: TrainConfig, classes: int = BINARY) -> None:
        super().__init__()
        network: Any = timm.create_model(BACKBONE, pretrained=False, num_classes=0)
        self.backbone = network
        self.normalise = Normalize(config.normalisation, network.pretrained_cfg)
        deep = int(network.num_features)
        self.branches = nn.ModuleList(GramBranch(*sizes) for sizes in BRANCHES)
        self.aggregate = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(sum(units for _, units in BRANCHES), deep),
            nn.ReLU(),
            nn.BatchNorm1d(deep, config.bn_epsilon, config.bn_momentum),
        )
        self.width = 2 * deep
        self.norm = nn.BatchNorm1d(self.width, config.bn_epsilon, config.bn_momentum)
        self.output = nn.Linear(self.width, classes)
        initialize = InitializeAdded(config.initialisation)
        for layer in (self.branches, self.aggregate, self.output):
            layer.apply(initialize)

    @staticmethod
    def backbone_name(config: TrainConfig) -> str:  # noqa: ARG004
        """Return timm's name of the backbone, which does not depend on the configuration."""
        return BACKBONE

    @staticmethod
    def title(config: TrainConfig) -> str:  # noqa: ARG004
        """Return the network's name for people."""
        return "Zhang et al.'s multi-level ResNet-50"

    def features(self, images: Tensor) -> Tensor:
        """Map pixel values of 0 to 1, shape (N, 3, S, S), to features of shape (N, width)."""
        network = self.backbone
        stem = network.act1(network.bn1(network.conv1(self.normalise(images))))
        pooled = network.maxpool(stem)
        shallow = network.layer1(pooled)
        deep = network.layer4(network.layer3(network.layer2(shallow)))
        maps = (stem, pooled, shallow)
        grams = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        levels = [network.forward_head(deep), self.aggregate(torch.cat(grams, dim=1))]
        fused: Tensor = self.norm(torch.cat(levels, dim=1))
        return fused

    def forward(self, images: Tensor) -> Tensor:
        """Classify images; see `GramEfficientNet.forward`."""
        logits: Tensor = self.output(self.features(images))
        return logits.float()
