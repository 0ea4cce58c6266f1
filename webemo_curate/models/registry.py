"""The networks, by the name that a configuration gives."""

import torch
from torch import nn

from webemo_curate.config import TrainConfig
from webemo_curate.models.gram_efficientnet import GramEfficientNet
from webemo_curate.models.zhang_resnet import ZhangResNet
from webemo_curate.verdicts import BINARY

Network = GramEfficientNet | ZhangResNet
"""Classes of networks. Each has a `name`, names its backbone and itself, and states its last
feature layer."""

NETWORKS: dict[str, type[Network]] = {kind.name: kind for kind in (GramEfficientNet, ZhangResNet)}
"""Classes by the value of `TrainConfig.network`; a new network is added only here."""


def build_network(config: TrainConfig, classes: int = BINARY) -> Network:
    """Build the network with random weights.

    Parameters
    ----------
    config : TrainConfig
        Its kind and sizes.
    classes : int, default 2
        Number of classes, the units of its output layer.

    Returns
    -------
    Network
        On the CPU, in training mode, in channels-last layout, which is faster on every device.
    """
    network = NETWORKS[config.network](config, classes)
    if config.frozen == "backbone":
        network.backbone.requires_grad_(False)
    return network.to(memory_format=torch.channels_last)


def set_training(network: nn.Module, config: TrainConfig) -> None:
    """Put a network into training mode; a frozen backbone keeps its batch statistics."""
    network.train()
    if config.frozen == "backbone":
        network.get_submodule("backbone").eval()


def backbone_name(config: TrainConfig) -> str:
    """Return timm's name of the backbone."""
    return NETWORKS[config.network].backbone_name(config)


def network_title(config: TrainConfig) -> str:
    """Return the network's name for people."""
    return NETWORKS[config.network].title(config)
