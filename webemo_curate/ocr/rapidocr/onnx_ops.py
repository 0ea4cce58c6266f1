"""The ONNX operators of rapidocr's networks, in torch (onnx.ai/onnx/operators, opset 11).

Each operator takes a node's attributes and inputs, and returns its one output. Lengths (shapes,
axes, factors, bounds of slices) are NumPy arrays, so that no operator ever waits for a device.
Operators and attribute values that these networks do not use are left out; `OPERATORS` lists all.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

Attributes = Mapping[str, Any]

Lengths = NDArray[Any]
"""Numbers that the CPU reads."""

Value = Tensor | Lengths
Operator = Callable[..., Value]

SAME_UPPER = b"SAME_UPPER"


def _convolve(
    attributes: Attributes, batch: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    batch, padding = _padded(attributes, batch, tuple(weight.shape[2:]), 0.0)
    return functional.conv2d(
        batch,
        weight,
        bias,
        stride=attributes["strides"],
        padding=padding,
        dilation=attributes["dilations"],
        groups=attributes["group"],
    )


def _padded(
    attributes: Attributes, batch: Tensor, kernel: tuple[int, ...], value: float
) -> tuple[Tensor, tuple[int, int]]:
    """Return a batch, padded if its sides differ, and the padding left to the operator."""
    top, left, bottom, right = _pads(attributes, kernel)
    if top == bottom and left == right:
        return batch, (top, left)
    return functional.pad(batch, (left, right, top, bottom), value=value), (0, 0)


def _pads(attributes: Attributes, kernel: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return the padding at the top, left, bottom and right."""
    if attributes.get("auto_pad") == SAME_UPPER:
        # All such nodes here have stride 1, so padding by kernel - 1 keeps the size. An odd pixel
        # goes to the end.
        down, across = (length - 1 for length in kernel)
        return down // 2, across // 2, down - down // 2, across - across // 2
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    return top, left, bottom, right


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
    batch, padding = _padded(attributes, batch, kernel, float("-inf"))
    return functional.max_pool2d(batch, kernel, attributes["strides"], padding)


def _average(attributes: Attributes, batch: Tensor) -> Tensor:
    return functional.avg_pool2d(batch, attributes["kernel_shape"], attributes["strides"])


def _mean(attributes: Attributes, batch: Tensor) -> Tensor:
    return batch.mean(attributes["axes"], keepdim=bool(attributes.get("keepdims", 1)))


def _enlarge(_: Attributes, batch: Tensor, __: Value | None, factors: Lengths) -> Tensor:
    """Repeat pixels: the nodes use `asymmetric`, `nearest`, `floor`, with whole factors."""
    return functional.interpolate(batch, scale_factor=factors[2:].tolist(), mode="nearest")


def _squash(attributes: Attributes, batch: Tensor) -> Tensor:
    return (batch * attributes["alpha"] + attributes["beta"]).clamp(0, 1)


def _slice(
    _: Attributes,
    values: Value,
    starts: Lengths,
    ends: Lengths,
    axes: Lengths,
    steps: Lengths | None = None,
) -> Value:
    lengths = [1] * len(axes) if steps is None else steps.tolist()
    cuts = [slice(None)] * values.ndim
    for axis, start, end, step in zip(
        axes.tolist(), starts.tolist(), ends.tolist(), lengths, strict=True
    ):
        cuts[axis] = slice(start, end, step)
    return values[tuple(cuts)]


def _reshape(_: Attributes, values: Value, shape: Lengths) -> Value:
    """Reshape; a 0 keeps the length of that dimension."""
    lengths = [int(length) or values.shape[axis] for axis, length in enumerate(shape.tolist())]
    return values.reshape(lengths)


def _squeeze(attributes: Attributes, values: Value) -> Value:
    return values.squeeze(tuple(attributes["axes"]))


def _unsqueeze(attributes: Attributes, values: Value) -> Value:
    for axis in sorted(attributes["axes"]):
        values = (
            values.unsqueeze(axis) if isinstance(values, Tensor) else np.expand_dims(values, axis)
        )
    return values


def _shape(_: Attributes, values: Value) -> Lengths:
    return np.array(values.shape)


def _join(attributes: Attributes, *parts: Any) -> Value:
    if isinstance(parts[0], Tensor):
        return torch.cat(parts, attributes["axis"])
    return np.concatenate(parts, attributes["axis"])


def _to_float(_: Attributes, values: Value) -> Value:
    """Cast to the network's floating-point type, which the values already have."""
    return values


OPERATORS: Mapping[str, Operator] = {
    "Add": lambda _, one, other: one + other,
    "AveragePool": _average,
    "BatchNormalization": _normalise,
    "Cast": _to_float,
    "Concat": _join,
    "Conv": _convolve,
    "ConvTranspose": _convolve_transposed,
    "Div": lambda _, one, other: one / other,
    "Erf": lambda _, values: values.erf(),
    "Gelu": lambda _, values: functional.gelu(values),
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

Softmax supports only the last axis, where opset 11 and torch agree. Cast applies to weights stored
in half precision. Gelu is what `onnx_fusion` makes of five other operators.
"""
