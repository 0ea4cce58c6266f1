"""The ONNX operators of rapidocr's networks, in torch (onnx.ai/onnx/operators, opset 11).

Each takes a node's attributes and its inputs and returns its one output. Operators and attribute
values that these networks do not use are left out; `OPERATORS` is the whole list.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Attributes = Mapping[str, Any]
Operator = Callable[..., Tensor]

SAME_UPPER = b"SAME_UPPER"


def _pad(attributes: Attributes, batch: Tensor, kernel: tuple[int, ...], value: float) -> Tensor:
    """Pad height and width as the node says; an odd pixel of `SAME_UPPER` goes to the end."""
    if attributes.get("auto_pad") == SAME_UPPER:
        # All such nodes here have stride 1, so that kernel - 1 keeps the size.
        needed = [length - 1 for length in kernel]
        top, left = (each // 2 for each in needed)
        bottom, right = needed[0] - top, needed[1] - left
    else:
        top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    return functional.pad(batch, (left, right, top, bottom), value=value)


def _convolve(
    attributes: Attributes, batch: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    return functional.conv2d(
        _pad(attributes, batch, tuple(weight.shape[2:]), 0.0),
        weight,
        bias,
        stride=attributes["strides"],
        dilation=attributes["dilations"],
        groups=attributes["group"],
    )


def _convolve_transposed(
    attributes: Attributes, batch: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    return functional.conv_transpose2d(batch, weight, bias, stride=attributes["strides"])


def _normalise(
    attributes: Attributes, batch: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, var: Tensor
) -> Tensor:
    return functional.batch_norm(batch, mean, var, scale, bias, eps=attributes["epsilon"])


def _largest(attributes: Attributes, batch: Tensor) -> Tensor:
    kernel = tuple(attributes["kernel_shape"])
    padded = _pad(attributes, batch, kernel, float("-inf"))
    return functional.max_pool2d(padded, kernel, attributes["strides"])


def _average(attributes: Attributes, batch: Tensor) -> Tensor:
    return functional.avg_pool2d(batch, attributes["kernel_shape"], attributes["strides"])


def _mean(attributes: Attributes, batch: Tensor) -> Tensor:
    return batch.mean(attributes["axes"], keepdim=bool(attributes.get("keepdims", 1)))


def _enlarge(_: Attributes, batch: Tensor, __: Tensor, factors: Tensor) -> Tensor:
    """Repeat pixels: the nodes' `asymmetric`, `nearest`, `floor`, with whole factors."""
    return functional.interpolate(batch, scale_factor=factors[2:].tolist(), mode="nearest")


def _squash(attributes: Attributes, batch: Tensor) -> Tensor:
    return (batch * attributes["alpha"] + attributes["beta"]).clamp(0, 1)


def _slice(
    _: Attributes,
    values: Tensor,
    starts: Tensor,
    ends: Tensor,
    axes: Tensor,
    steps: Tensor | None = None,
) -> Tensor:
    lengths = [1] * len(axes) if steps is None else steps.tolist()
    cuts = [slice(None)] * values.dim()
    for axis, start, end, step in zip(
        axes.tolist(), starts.tolist(), ends.tolist(), lengths, strict=True
    ):
        cuts[axis] = slice(start, end, step)
    return values[tuple(cuts)]


def _reshape(_: Attributes, values: Tensor, shape: Tensor) -> Tensor:
    """Reshape; a 0 keeps the length that stands there."""
    lengths = [length or values.shape[axis] for axis, length in enumerate(shape.tolist())]
    return values.reshape(lengths)


def _squeeze(attributes: Attributes, values: Tensor) -> Tensor:
    return values.squeeze(tuple(attributes["axes"]))


def _unsqueeze(attributes: Attributes, values: Tensor) -> Tensor:
    for axis in sorted(attributes["axes"]):
        values = values.unsqueeze(axis)
    return values


def _shape(_: Attributes, values: Tensor) -> Tensor:
    """Shapes stay on the CPU: they are read, never computed with on a device."""
    return torch.tensor(values.shape)


OPERATORS: Mapping[str, Operator] = {
    "Add": lambda _, one, other: one + other,
    "AveragePool": _average,
    "BatchNormalization": _normalise,
    "Cast": lambda _, values: values.float(),
    "Concat": lambda attributes, *parts: torch.cat(parts, attributes["axis"]),
    "Conv": _convolve,
    "ConvTranspose": _convolve_transposed,
    "Div": lambda _, one, other: one / other,
    "Erf": lambda _, values: values.erf(),
    "GlobalAveragePool": lambda _, batch: batch.mean((2, 3), keepdim=True),
    "HardSigmoid": _squash,
    "Identity": lambda _, values: values,
    "MatMul": lambda _, one, other: one @ other,
    "MaxPool": _largest,
    "Mul": lambda _, one, other: one * other,
    "Pow": lambda _, base, exponent: base**exponent,
    "ReduceMean": _mean,
    "Relu": lambda _, values: values.relu(),
    "Reshape": _reshape,
    "Resize": _enlarge,
    "Shape": _shape,
    "Sigmoid": lambda _, values: values.sigmoid(),
    "Slice": _slice,
    "Softmax": lambda attributes, values: values.softmax(attributes["axis"]),
    "Sqrt": lambda _, values: values.sqrt(),
    "Squeeze": _squeeze,
    "Sub": lambda _, one, other: one - other,
    "Transpose": lambda attributes, values: values.permute(attributes["perm"]),
    "Unsqueeze": _unsqueeze,
}
"""Operator name to implementation.

Softmax is that of the last axis only, where opset 11 and torch agree; Cast is to single precision.
"""
