"""Networks as CUDA graphs, one a shape of their input: a call costs one launch, not hundreds.

A shape that is met a third time is captured; until then, on a CPU, and where capture fails, the
network runs step by step, with the same numbers.
"""

import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

logger = logging.getLogger(__name__)

MET_BEFORE = 2
"""Calls of a shape before it is captured: a capture costs some calls, and many shapes are rare."""

MOST_GRAPHS = 384
MOST_BYTES = 4 * 2**30
"""Graphs kept, and the memory of their inputs and outputs; what is between is shared by all."""

Outputs = tuple[Tensor, ...]
Network = Callable[[Tensor], Outputs]


@dataclass(frozen=True)
class Captured:
    """A network captured for one shape.

    Attributes
    ----------
    graph
        What is replayed, a `torch.cuda.CUDAGraph`.
    batch
        Where it reads its input.
    outputs
        Where it leaves its outputs.
    """

    graph: Any
    batch: Tensor
    outputs: Outputs

    @property
    def held_bytes(self) -> int:
        """Memory that is this graph's alone, its nodes left out."""
        return sum(each.nbytes for each in (self.batch, *self.outputs))


class GraphShelf:
    """The graphs of one device, those longest unused given up first.

    All share one pool of memory for what lies between input and output, for only one runs at a
    time.

    Parameters
    ----------
    most_graphs : int, default MOST_GRAPHS
        Graphs kept.
    most_bytes : int, default MOST_BYTES
        Memory of their inputs and outputs.
    """

    def __init__(self, most_graphs: int = MOST_GRAPHS, most_bytes: int = MOST_BYTES) -> None:
        self._most_graphs, self._most_bytes = most_graphs, most_bytes
        self._graphs: OrderedDict[Hashable, Captured] = OrderedDict()
        self._pool: Any = None
        self._aside: Any = None

    def __len__(self) -> int:
        return len(self._graphs)

    def find(self, key: Hashable) -> Captured | None:
        """Return a graph, which counts as used now; None if it is not there."""
        found = self._graphs.get(key)
        if found is not None:
            self._graphs.move_to_end(key)
        return found

    def keep(self, key: Hashable, captured: Captured) -> None:
        """Add a graph, and give up others where there are too many."""
        self._graphs[key] = captured
        while len(self._graphs) > 1 and self._is_overfull():
            wait_for_device()  # it may be running
            self._graphs.popitem(last=False)

    def clear(self) -> None:
        """Give up every graph, and the memory they share."""
        wait_for_device()
        self._graphs.clear()
        self._pool = None

    def capture(self, network: Network, batch: Tensor) -> Captured:
        """Capture a network for the shape of a batch.

        Parameters
        ----------
        network : Callable
            See `Graphed`.
        batch : Tensor
            On the device.

        Returns
        -------
        Captured
            For `keep`.

        Raises
        ------
        RuntimeError
            If it cannot be captured.
        """
        if self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
        if self._aside is None:
            self._aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        return _capture(network, batch, self._pool, self._aside)

    def _is_overfull(self) -> bool:
        held = sum(captured.held_bytes for captured in self._graphs.values())
        return len(self._graphs) > self._most_graphs or held > self._most_bytes


class Graphed:
    """A network that is captured for the shapes it meets often.

    Parameters
    ----------
    network : Callable
        Takes a batch, returns tensors. On CUDA it must neither wait for the device nor make shapes
        of what it computes.
    name : str
        What it is called where capture fails.
    shelf : GraphShelf, optional
        Where its graphs are kept; by default with all others of this process.
    """

    def __init__(self, network: Network, name: str, shelf: GraphShelf | None = None) -> None:
        self._network, self._name = network, name
        self._shelf = shared_shelf() if shelf is None else shelf  # an empty one is false
        self._met: Counter[Hashable] = Counter()
        self._can_be_captured = True

    @torch.inference_mode()
    def __call__(self, batch: Tensor) -> Outputs:
        """Run the network.

        Parameters
        ----------
        batch : Tensor
            Its input, on its device.

        Returns
        -------
        tuple of Tensor
            Its outputs, on the device, valid until it is called again.
        """
        if batch.device.type != "cuda" or not self._can_be_captured:
            return self._network(batch)
        # Itself, not its id, which another network may be given once this one is gone.
        key = (self, tuple(batch.shape), batch.dtype)
        captured = self._shelf.find(key)
        if captured is None:
            if self._met[key] < MET_BEFORE:
                self._met[key] += 1
                return self._network(batch)
            captured = self._try_to_capture(batch)
            if captured is None:
                return self._network(batch)
            self._shelf.keep(key, captured)
        captured.batch.copy_(batch)
        captured.graph.replay()
        return captured.outputs

    def _try_to_capture(self, batch: Tensor) -> Captured | None:
        """Capture; None where it cannot be done, which is said once and not tried again."""
        before = torch.cuda.current_stream()
        try:
            return self._shelf.capture(self._network, batch)
        except RuntimeError as error:  # of CUDA, or of its memory
            torch.cuda.set_stream(before)
            self._can_be_captured = False
            self._shelf.clear()
            torch.cuda.empty_cache()
            reason = str(error).partition("\n")[0]
            logger.warning("%s runs without a CUDA graph: %s", self._name, reason)
            return None


@cache
def shared_shelf() -> GraphShelf:
    """Return the shelf of this process, which uses one device."""
    return GraphShelf()


def wait_for_device() -> None:
    """Wait until the device has done what it was given, where there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _capture(network: Network, batch: Tensor, pool: Any, aside: Any) -> Captured:
    """Capture on a stream aside, after a run there that makes plans and workspaces."""
    static = batch.clone()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        network(static)
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=pool, stream=aside, capture_error_mode="thread_local"):
        outputs = network(static)
    return Captured(graph, static, outputs)
