"""A small network that tells which pixels belong to drawn words."""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import fusion

WIDTHS = (24, 36, 72, 144, 192)
"""Channels at a half, a quarter, ... of the picture's size."""

BLOCKS = (1, 2, 3, 2)
"""Residual blocks at a quarter, an eighth, ... of the picture's size."""

MERGED = 48
"""Channels in which the scales are summed (Lin et al. 2017, Feature Pyramid Networks)."""

RARE = -3.0
"""Initial bias of the output: few pixels are words."""

OPSET = 18
INPUT, OUTPUT = "picture", "words"

LARGE = 1024
"""Number of values from which a tensor is stored in half precision, which halves the file."""


class _Residual(nn.Module):
    """Two convolutions with a shortcut (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, batch: Tensor) -> Tensor:
        return functional.relu(batch + self.second(self.first(batch)))


class WordsNetwork(nn.Module):
    """A feature pyramid over a few residual blocks; fully convolutional.

    Its map has a quarter of the picture's size in each direction.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _convolution(3, WIDTHS[0], stride=2)
        self.stages = nn.ModuleList(
            nn.Sequential(
                _convolution(before, after, stride=2), *(_Residual(after) for _ in range(blocks))
            )
            for before, after, blocks in zip(WIDTHS[:-1], WIDTHS[1:], BLOCKS, strict=True)
        )
        self.laterals = nn.ModuleList(nn.Conv2d(width, MERGED, 1) for width in WIDTHS[1:])
        self.head = nn.Sequential(_convolution(MERGED, MERGED), nn.Conv2d(MERGED, 1, 1))
        last = self.head[-1]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        nn.init.constant_(last.bias, RARE)

    def forward(self, batch: Tensor) -> Tensor:
        """Score pixels.

        Parameters
        ----------
        batch : Tensor
            float32, (batch, 3, height, width) BGR, normalized as `OVERLAY_TEXT` says;
            both sides multiples of 32.

        Returns
        -------
        Tensor
            float32, (batch, 1, height / 4, width / 4): logits.
        """
        batch = self.stem(batch)
        scales = [batch := stage(batch) for stage in self.stages]
        merged = self.laterals[-1](scales[-1])
        for lateral, scale in zip(self.laterals[-2::-1], scales[-2::-1], strict=True):
            merged = lateral(scale) + functional.interpolate(merged, scale_factor=2.0)
        scored: Tensor = self.head(functional.relu(merged))
        return scored


class _Scores(nn.Module):
    """The network as the text filter runs it: probabilities, at the picture's own size."""

    def __init__(self, network: WordsNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> Tensor:
        return functional.interpolate(self.network(picture).sigmoid(), scale_factor=4.0)


def save(network: WordsNetwork, path: Path) -> None:
    """Write a network as ONNX, with its normalizations merged into its convolutions.

    Weights are stored in half precision and used in single precision.

    Parameters
    ----------
    network : WordsNetwork
        The fitted network; it is set to evaluation mode and changed.
    path : Path
        The file: input (1, 3, height, width), output (1, 1, height, width), 0 to 1.
    """
    network.cpu().eval()
    for module in network.modules():
        if isinstance(module, nn.Sequential) and len(module) > 1:
            convolution, norm = module[0], module[1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                module[0] = fusion.fuse_conv_bn_eval(convolution, norm)
                module[1] = nn.Identity()
    side = 2 ** (len(WIDTHS) + 2)
    batch, height, width = (torch.export.Dim(name) for name in ("batch", "rows", "columns"))
    stride = 2 ** len(WIDTHS)
    torch.onnx.export(
        _Scores(network).eval(),
        (torch.zeros(2, 3, side, side),),
        str(path),
        input_names=[INPUT],
        output_names=[OUTPUT],
        dynamic_shapes={"picture": {0: batch, 2: stride * height, 3: stride * width}},
        opset_version=OPSET,
        external_data=False,
        verbose=False,
    )
    model = onnx.load(str(path))
    _forget_origin(model)
    _halve(model.graph)
    onnx.save(model, str(path))


def _forget_origin(model: onnx.ModelProto) -> None:
    """Remove the source locations of each step, which name folders of this machine."""
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info):
        part.ClearField("metadata_props")
    for node in model.graph.node:
        node.ClearField("doc_string")


def _halve(graph: onnx.GraphProto) -> None:
    """Store large tensors in half precision, each followed by a cast to single precision."""
    casts = []
    for tensor in graph.initializer:
        numbers = numpy_helper.to_array(tensor)
        if numbers.dtype == np.float32 and numbers.size >= LARGE:
            name, stored = tensor.name, f"{tensor.name}.half"
            tensor.CopyFrom(numpy_helper.from_array(numbers.astype(np.float16), stored))
            casts.append(helper.make_node("Cast", [stored], [name], to=onnx.TensorProto.FLOAT))
    steps = [*casts, *graph.node]
    graph.ClearField("node")
    graph.node.extend(steps)


def _convolution(before: int, after: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )
