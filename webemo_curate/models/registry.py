"""Which network a configuration means."""

import torch
from torch import nn

from webemo_curate.config import TrainConfig
from webemo_curate.models.gram_efficientnet import GramEfficientNet
from webemo_curate.models.zhang_resnet import BACKBONE as ZHANG_BACKBONE
from webemo_curate.models.zhang_resnet import ZhangResNet

Network = GramEfficientNet | ZhangResNet


def build_network(config: TrainConfig) -> Network:
    """Build the network with random first weights.

    Parameters
    ----------
    config : TrainConfig
        Its kind and sizes.

    Returns
    -------
    Network
        On the CPU, in training mode; channels last, which every device computes faster.
    """
    network = ZhangResNet(config) if config.network == "zhang" else GramEfficientNet(config)
    if config.frozen == "backbone":
        network.backbone.requires_grad_(False)
    return network.to(memory_format=torch.channels_last)


def set_training(network: nn.Module, config: TrainConfig) -> None:
    """Put a network into training mode; a frozen backbone keeps its batch statistics too."""
    network.train()
    if config.frozen == "backbone":
        network.get_submodule("backbone").eval()


def backbone_name(config: TrainConfig) -> str:
    """Return timm's name of the backbone."""
    return ZHANG_BACKBONE if config.network == "zhang" else config.backbone
