"""Describe a network by reading the built one: the paper's figure 1, tables 1 and 2."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from webemo_curate.config import TrainConfig
from webemo_curate.models.precision import CHANNELS
from webemo_curate.models.registry import Network, build_network, network_title
from webemo_curate.models.tap import block_name


@dataclass(frozen=True)
class Row:
    """A stage of a network, as in the paper's tables 1 and 2.

    Attributes
    ----------
    stage
        Number of the stage, 0 for the stem.
    operation
        Such as `Fused-MBConv4, k3x3`.
    stride
        Stride of its first layer; None if it has none.
    channels
        Number of output channels.
    layers
        Number of blocks.
    """

    stage: int
    operation: str
    stride: int | None
    channels: int
    layers: int

    @property
    def size(self) -> tuple[int, int]:
        """Channels and layers."""
        return self.channels, self.layers


@dataclass(frozen=True)
class Description:
    """The description of a network.

    Attributes
    ----------
    title
        The network's name for people.
    rows
        Its stages, in order.
    blocks
        The layers of one block of each kind, by kind and name.
    parameters
        Number of parameters, frozen ones included.
    flops
        Operations for one image; a multiplication and an addition count as two.
    """

    title: str
    rows: list[Row]
    blocks: dict[str, list[str]]
    parameters: int
    flops: int


def describe(config: TrainConfig) -> Description:
    """Build a network and describe its parts.

    Parameters
    ----------
    config : TrainConfig
        Its kind and sizes; no weights are loaded.

    Returns
    -------
    Description
        All numbers are counted on the built network.
    """
    network = build_network(config)
    stages = list(_stages(network))
    blocks = {f"{_kind(stage[0])} ({name})": _layers(stage[0]) for name, stage in stages}
    if getattr(network, "gram_modules", None):
        modules: Any = network.gram_modules
        blocks[f"Gram module ({len(modules)} on {config.tap})"] = _layers(modules[0])
    return Description(
        network_title(config),
        [
            _stem(network),
            *(_row(place, s) for place, (_, s) in enumerate(stages, 1)),
            _head(network),
        ],
        blocks,
        sum(parameter.numel() for parameter in network.parameters()),
        count_flops(network, config.image_size),
    )


def count_flops(network: nn.Module, side: int) -> int:
    """Count the operations of convolutions and matrix products for one image of this side."""
    network.eval()
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, CHANNELS, side, side))
    return int(counter.get_total_flops())


def _stages(network: Network) -> Iterator[tuple[str, nn.Sequential]]:
    """Yield the stages between stem and head, each with the name of its first block."""
    backbone: Any = network.backbone
    if hasattr(backbone, "blocks"):
        for number, stage in enumerate(backbone.blocks):
            yield block_name((number, 0)), stage
    else:
        for number in range(1, 5):
            yield f"layer{number}", backbone.get_submodule(f"layer{number}")


def _stem(network: Network) -> Row:
    backbone: Any = network.backbone
    stem = backbone.conv_stem if hasattr(backbone, "conv_stem") else backbone.conv1
    return Row(0, _convolution(stem), stem.stride[0], stem.out_channels, 1)


def _head(network: Network) -> Row:
    backbone: Any = network.backbone
    first = "Conv1x1, " if hasattr(backbone, "conv_head") else ""
    stages = len(list(_stages(network)))
    return Row(stages + 1, f"{first}pooling, FC", None, int(backbone.num_features), 1)


def _row(number: int, stage: nn.Sequential) -> Row:
    convolutions = [m for m in stage[0].modules() if isinstance(m, nn.Conv2d)]
    stride = max(layer.stride[0] for layer in convolutions)
    last = [m for m in stage[-1].modules() if isinstance(m, nn.Conv2d)][-1]
    if hasattr(stage[-1], "conv3"):  # not the shortcut's, which may come last
        last = stage[-1].get_submodule("conv3")  # type: ignore[assignment]
    return Row(number, _kind(stage[-1]), stride, last.out_channels, len(stage))


def _kind(block: Any) -> str:
    """Name a block as the paper does: kind, expansion, kernel, squeeze and excitation."""
    if hasattr(block, "conv3"):
        return f"Bottleneck, {_kernel(block.conv2)}"
    if hasattr(block, "conv_dw"):
        channels = block.conv_pw.in_channels
        squeezed = block.se.conv_reduce.out_channels / channels
        expansion = block.conv_pw.out_channels // channels
        return f"MBConv{expansion}, {_kernel(block.conv_dw)}, SE{squeezed:.2g}"
    if hasattr(block, "conv_exp"):
        expansion = block.conv_exp.out_channels // block.conv_exp.in_channels
        return f"Fused-MBConv{expansion}, {_kernel(block.conv_exp)}"
    return f"Fused-MBConv1, {_kernel(block.conv)}"


def _kernel(layer: Any) -> str:
    return "k" + "x".join(map(str, layer.kernel_size))


def _convolution(layer: nn.Conv2d) -> str:
    return "Conv" + "x".join(map(str, layer.kernel_size))


def _layers(block: nn.Module) -> list[str]:
    """Describe a block's layers, in order."""
    said = []
    for layer in block.modules():
        if isinstance(layer, nn.Conv2d):
            depthwise = "depthwise " if layer.groups > 1 else ""
            size = f"{layer.in_channels} to {layer.out_channels}, stride {layer.stride[0]}"
            said.append(f"{depthwise}{_convolution(layer)} {size}")
        elif isinstance(layer, nn.Linear):
            said.append(f"dense {layer.in_features} to {layer.out_features}")
        elif isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d):
            said.append("batch norm")
        elif not list(layer.children()) and not isinstance(layer, nn.Identity):
            said.append(type(layer).__name__)
    return said
