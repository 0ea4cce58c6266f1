"""Run rapidocr's ONNX networks in torch: on CUDA from a plain install, without onnxruntime-gpu."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor

from webemo_curate.ocr.detector import EngineError
from webemo_curate.ocr.rapidocr.onnx_fusion import RawNode, simplify
from webemo_curate.ocr.rapidocr.onnx_ops import OPERATORS, Operator, Value

READ_BY_THE_CPU = {"Resize": slice(1, None)}
"""Inputs of operators that are lengths although they are not integers."""


class Node(NamedTuple):
    """One step of a network.

    Attributes
    ----------
    operator
        The function that computes it.
    attributes
        The operator's settings.
    inputs
        Names of its inputs; empty for an optional input that is left out.
    output
        Name of its output.
    finished
        Names that no later node reads.
    """

    operator: Operator
    attributes: Mapping[str, Any]
    inputs: tuple[str, ...]
    output: str
    finished: tuple[str, ...]


class OnnxNetwork:
    """An ONNX graph with one input and one output, on one device.

    What depends only on weights is computed when the file is opened, and lengths stay on the CPU.
    So a call never waits for the device, and can be captured as a CUDA graph.

    Parameters
    ----------
    path : Path
        The `.onnx` file, which holds no code.
    device : torch.device
        The device to run on.

    Attributes
    ----------
    metadata
        The metadata in the file.

    Raises
    ------
    EngineError
        If the graph uses an operator that is not in `OPERATORS`.
    """

    def __init__(self, path: Path, device: torch.device) -> None:
        model = onnx.load(str(path))
        self.metadata = {entry.key: entry.value for entry in model.metadata_props}
        self._input, self._output = model.graph.input[0].name, model.graph.output[0].name
        lengths = _lengths(model.graph)
        self._weights: dict[str, Value] = {
            tensor.name: self._to_value(tensor, device, lengths)
            for tensor in model.graph.initializer
        }
        raw = [node for node in _raw_nodes(model.graph) if not self._settle(node, path)]
        raw = simplify(raw, _numbers(model.graph), self._output)
        self._nodes = _bind(raw, keep={self._output, *self._weights}, path=path)

    def _to_value(self, tensor: onnx.TensorProto, device: torch.device, lengths: set[str]) -> Value:
        """Put weights on the device, but shapes, axes and scale factors on the CPU."""
        found = numpy_helper.to_array(tensor).copy()
        if tensor.name in lengths or not np.issubdtype(found.dtype, np.floating):
            return found
        return torch.from_numpy(found).to(device, torch.float32)

    @torch.inference_mode()
    def _settle(self, node: RawNode, path: Path) -> bool:
        """Compute a node that depends only on weights; return whether it does."""
        if not all(name in self._weights for name in node.inputs):
            return False
        inputs = (self._weights[name] for name in node.inputs)
        self._weights[node.output] = _operator(node.operator, path)(node.attributes, *inputs)
        return True

    @torch.inference_mode()
    def __call__(self, batch: Tensor) -> Tensor:
        """Run the graph, dropping each value after its last use.

        Parameters
        ----------
        batch : Tensor
            float32, in the shape that the graph requires, on the network's device.

        Returns
        -------
        Tensor
            The graph's output, float32.
        """
        values: dict[str, Any] = {**self._weights, self._input: batch}
        # TF32 would leave ten bits of every product: enough to move a box.
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False, deterministic=True):
            for node in self._nodes:
                inputs = (values[name] if name else None for name in node.inputs)
                values[node.output] = node.operator(node.attributes, *inputs)
                for name in node.finished:
                    del values[name]
        output: Tensor = values[self._output]
        return output


def _lengths(graph: onnx.GraphProto) -> set[str]:
    """Return the names of numbers that the CPU reads although they may be floats."""
    return {
        name
        for node in graph.node
        if node.op_type in READ_BY_THE_CPU
        for name in node.input[READ_BY_THE_CPU[node.op_type]]
    }


def _numbers(graph: onnx.GraphProto) -> dict[str, float]:
    """Return the weights that are single numbers."""
    return {
        tensor.name: float(numpy_helper.to_array(tensor).item())
        for tensor in graph.initializer
        if not tensor.dims
    }


def _raw_nodes(graph: onnx.GraphProto) -> list[RawNode]:
    return [
        RawNode(
            node.op_type,
            tuple(node.input),
            node.output[0],
            {each.name: helper.get_attribute_value(each) for each in node.attribute},
        )
        for node in graph.node
    ]


def _bind(nodes: Sequence[RawNode], keep: set[str], path: Path) -> list[Node]:
    last_use = {name: index for index, node in enumerate(nodes) for name in node.inputs}
    return [
        Node(
            _operator(node.operator, path),
            node.attributes,
            node.inputs,
            node.output,
            tuple(
                name
                for name in dict.fromkeys(node.inputs)
                if name and name not in keep and last_use[name] == index
            ),
        )
        for index, node in enumerate(nodes)
    ]


def _operator(name: str, path: Path) -> Operator:
    try:
        return OPERATORS[name]
    except KeyError:
        raise EngineError(
            f"{path}: the network uses the operator {name}, which is not known here; "
            "install the rapidocr of constraints.txt, or use the CPU"
        ) from None
