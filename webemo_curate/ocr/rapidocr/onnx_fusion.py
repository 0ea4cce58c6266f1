"""Simplify rapidocr's networks before they run: fewer steps, equal results up to rounding.

On a GPU, each step has to be launched, and reads and writes a whole batch of pixels.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

ROOT_OF_TWO = 1.41421356
TOLERANCE = 1e-4


@dataclass(frozen=True)
class RawNode:
    """One step of a network, as named in its file.

    Attributes
    ----------
    operator
        The operator's name.
    inputs
        Names of its inputs; empty for an optional input that is left out.
    output
        Name of its output.
    attributes
        The operator's settings.
    """

    operator: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


def simplify(nodes: Sequence[RawNode], numbers: Mapping[str, float], output: str) -> list[RawNode]:
    """Remove steps that only copy, and merge the five steps of a GELU into one.

    Parameters
    ----------
    nodes : Sequence of RawNode
        The steps in the order in which they run.
    numbers : Mapping of str to float
        The weights that are single numbers.
    output : str
        Name of the network's output, which is kept.

    Returns
    -------
    list of RawNode
        Steps of a network with the same output, up to rounding.
    """
    return _with_gelu(_without_copies(nodes, output), numbers)


def _without_copies(nodes: Sequence[RawNode], output: str) -> list[RawNode]:
    same: dict[str, str] = {}
    kept = []
    for node in nodes:
        inputs = tuple(same.get(name, name) for name in node.inputs)
        if node.operator == "Identity" and node.output != output:
            same[node.output] = inputs[0]
        else:
            kept.append(replace(node, inputs=inputs))
    return kept


def _with_gelu(nodes: Sequence[RawNode], numbers: Mapping[str, float]) -> list[RawNode]:
    """Replace x / sqrt(2), erf, + 1, * x, * 0.5 (Hendrycks and Gimpel 2016)."""
    makers = {node.output: node for node in nodes}
    readers = Counter(name for node in nodes for name in node.inputs)
    fused: dict[str, RawNode] = {}
    inner: set[str] = set()
    for node in nodes:
        steps = _gelu_steps(node, makers, numbers)
        if steps and all(readers[step.output] == 1 for step in steps[1:]):
            fused[node.output] = RawNode("Gelu", (steps[-1].inputs[0],), node.output)
            inner |= {step.output for step in steps[1:]}
    return [fused.get(node.output, node) for node in nodes if node.output not in inner]


def _gelu_steps(
    last: RawNode, makers: Mapping[str, RawNode], numbers: Mapping[str, float]
) -> list[RawNode]:
    """Return the five steps, the last one first; empty if these are others."""
    wanted = (("Mul", 0, 0.5), ("Mul", 1, None), ("Add", 0, 1.0), ("Erf", 0, None))
    steps = [last]
    for operator, before, factor in wanted:
        node = steps[-1]
        following = makers.get(node.inputs[before]) if node.operator == operator else None
        if following is None or not _is(node, factor, numbers):
            return []
        steps.append(following)
    divided = steps[-1]
    whole = (
        divided.operator == "Div"
        and _is(divided, ROOT_OF_TWO, numbers)
        and steps[1].inputs[0] == divided.inputs[0]
    )
    return steps if whole else []


def _is(node: RawNode, factor: float | None, numbers: Mapping[str, float]) -> bool:
    """Return whether a step's second input is this number, if one is given."""
    if factor is None:
        return True
    found = numbers.get(node.inputs[1])
    return found is not None and abs(found - factor) < TOLERANCE
