"""rapidocr's ONNX networks run by torch: on CUDA from a plain install, without onnxruntime-gpu."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor

from webemo_curate.ocr.detector import EngineError
from webemo_curate.ocr.rapidocr.onnx_ops import OPERATORS, Operator


class Node(NamedTuple):
    """One step of a network.

    Attributes
    ----------
    operator
        What computes it.
    attributes
        The operator's settings.
    inputs
        Names of what it reads; empty where an optional input is left out.
    output
        Name of what it makes.
    finished
        Names that no later node reads.
    """

    operator: Operator
    attributes: Mapping[str, Any]
    inputs: tuple[str, ...]
    output: str
    finished: tuple[str, ...]


class OnnxNetwork:
    """An ONNX graph of one input and one output, on one device.

    Parameters
    ----------
    path : Path
        The `.onnx` file. Nothing in such a file is code.
    device : torch.device
        Where it runs, in single precision.

    Attributes
    ----------
    metadata
        The notes kept in the file.

    Raises
    ------
    EngineError
        If it uses an operator that is not in `OPERATORS`.
    """

    def __init__(self, path: Path, device: torch.device) -> None:
        model = onnx.load(str(path))
        self.metadata = {entry.key: entry.value for entry in model.metadata_props}
        self._input, self._output = model.graph.input[0].name, model.graph.output[0].name
        self._weights = {
            tensor.name: _to_tensor(tensor, device) for tensor in model.graph.initializer
        }
        nodes = _nodes(model.graph, keep={self._output, *self._weights}, path=path)
        self._nodes = [node for node in nodes if not self._settle(node)]

    @torch.inference_mode()
    def _settle(self, node: Node) -> bool:
        """Compute once what depends on weights alone; returns whether it does."""
        if not all(name in self._weights for name in node.inputs):
            return False
        inputs = (self._weights[name] for name in node.inputs)
        self._weights[node.output] = node.operator(node.attributes, *inputs)
        return True

    @torch.inference_mode()
    def __call__(self, batch: Tensor) -> Tensor:
        """Run the graph, forgetting each value after its last use.

        Parameters
        ----------
        batch : Tensor
            float32, the shape the graph asks for, on the network's device.

        Returns
        -------
        Tensor
            The graph's output.
        """
        values = {**self._weights, self._input: batch}
        # TF32 would leave ten bits of every product: enough to move a box.
        with torch.backends.cudnn.flags(allow_tf32=False):
            for node in self._nodes:
                inputs = (values[name] if name else None for name in node.inputs)
                values[node.output] = node.operator(node.attributes, *inputs)
                for name in node.finished:
                    del values[name]
        return values[self._output]


def _to_tensor(tensor: onnx.TensorProto, device: torch.device) -> Tensor:
    """Weights go to the device; shapes, axes and scale factors are read by the CPU."""
    found = torch.from_numpy(numpy_helper.to_array(tensor).copy())
    return found.to(device) if found.is_floating_point() else found


def _nodes(graph: onnx.GraphProto, keep: set[str], path: Path) -> list[Node]:
    last_use = {name: index for index, node in enumerate(graph.node) for name in node.input}
    return [
        Node(
            _operator(node.op_type, path),
            {each.name: helper.get_attribute_value(each) for each in node.attribute},
            tuple(node.input),
            node.output[0],
            tuple(
                name
                for name in dict.fromkeys(node.input)
                if name and name not in keep and last_use[name] == index
            ),
        )
        for index, node in enumerate(graph.node)
    ]


def _operator(name: str, path: Path) -> Operator:
    try:
        return OPERATORS[name]
    except KeyError:
        raise EngineError(
            f"{path}: the network uses the operator {name}, which is not known here; "
            "install the rapidocr of constraints.txt, or use the CPU"
        ) from None
