"""The networks in torch never look at a value while they run, and have no step to spare."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from webemo_curate.ocr.overlay.overlay_network import OVERLAY_TEXT
from webemo_curate.ocr.rapidocr.onnx_fusion import RawNode, simplify
from webemo_curate.ocr.rapidocr.rapidocr_networks import ANY_TEXT
from webemo_curate.ocr.rapidocr.torch_networks import DetectionNetwork, RecognitionNetwork

META = torch.device("meta")
"""Its tensors have shapes and no values: what looks at one fails, as it would in a CUDA graph."""


class Steps(TorchDispatchMode):
    """Counts what torch is asked to do."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen.append(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("detection", [ANY_TEXT, OVERLAY_TEXT])
def test_a_detection_network_looks_at_no_value(detection):
    network = DetectionNetwork(detection, META)

    with torch.inference_mode(), Steps() as steps:
        scores, peaks = network.run(torch.empty(2, 64, 96, 3, dtype=torch.uint8, device=META))

    assert scores.shape == (2, 1, 64, 96)
    assert scores.dtype == peaks.dtype == torch.float32
    assert peaks.shape == (2,)
    assert not {"item", "_local_scalar_dense", "nonzero", "erf", "constant_pad_nd"} & set(
        steps.seen
    )


def test_the_recognizer_looks_at_no_value():
    network = RecognitionNetwork(META)

    with torch.inference_mode(), Steps() as steps:
        symbols, sure = network.run(torch.empty(3, 48, 80, 3, dtype=torch.uint8, device=META))

    assert symbols.shape == sure.shape == (3, 10)
    assert not {"item", "_local_scalar_dense", "nonzero", "erf"} & set(steps.seen)


NUMBERS = {name: torch.tensor(value) for name, value in {"r": 2**0.5, "1": 1.0, "h": 0.5}.items()}


def gelu_nodes(half="h"):
    return [
        RawNode("Identity", ("x",), "same"),
        RawNode("Div", ("same", "r"), "divided"),
        RawNode("Erf", ("divided",), "erf"),
        RawNode("Add", ("erf", "1"), "plus"),
        RawNode("Mul", ("same", "plus"), "times"),
        RawNode("Mul", ("times", half), "y"),
    ]


def test_five_steps_become_a_gelu_and_copies_are_left_out():
    assert simplify(gelu_nodes(), NUMBERS, "y") == [RawNode("Gelu", ("x",), "y")]


def test_other_numbers_and_values_read_elsewhere_stay_as_they_are():
    other = simplify(gelu_nodes(half="1"), NUMBERS, "y")
    shared = simplify([*gelu_nodes(), RawNode("Add", ("erf", "y"), "z")], NUMBERS, "z")

    assert [node.operator for node in other] == ["Div", "Erf", "Add", "Mul", "Mul"]
    assert [node.operator for node in shared] == ["Div", "Erf", "Add", "Mul", "Mul", "Add"]


def test_a_copy_that_is_the_output_stays():
    nodes = [RawNode("Relu", ("x",), "a"), RawNode("Identity", ("a",), "y")]

    assert simplify(nodes, {}, "y") == nodes
