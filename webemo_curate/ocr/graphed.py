"""Run networks as CUDA graphs, one for each input shape: one launch a call, not hundreds.

A shape is captured when it occurs for the third time. Until then, on a CPU, and if the capture
fails, the network runs step by step, with the same numbers.
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
"""Calls of a shape before it is captured: a capture costs several calls, and many shapes are
rare."""

MAX_GRAPHS = 384
MAX_BYTES = 4 * 2**30
"""Most graphs kept, and most bytes of their inputs and outputs; memory for steps between is shared
by all."""

Outputs = tuple[Tensor, ...]
Network = Callable[[Tensor], Outputs]


@dataclass(frozen=True)
class Captured:
    """A network captured for one shape.

    Attributes
    ----------
    graph
        The `torch.cuda.CUDAGraph` to replay.
    batch
        The memory from which it reads its input.
    outputs
        The memory to which it writes its outputs.
    """

    graph: Any
    batch: Tensor
    outputs: Outputs

    @property
    def held_bytes(self) -> int:
        """Memory in bytes of this graph alone, without its nodes."""
        return sum(each.nbytes for each in (self.batch, *self.outputs))


class GraphShelf:
    """The graphs of one device; the least recently used are dropped.

    All share one memory pool for what lies between input and output, because only one runs at a
    time.

    Parameters
    ----------
    max_graphs : int, default MAX_GRAPHS
        Most graphs kept.
    max_bytes : int, default MAX_BYTES
        Most bytes of their inputs and outputs.
    """

    def __init__(self, max_graphs: int = MAX_GRAPHS, max_bytes: int = MAX_BYTES) -> None:
        self._max_graphs, self._max_bytes = max_graphs, max_bytes
        self._graphs: OrderedDict[Hashable, Captured] = OrderedDict()
        self._pool: Any = None
        self._aside: Any = None

    def __len__(self) -> int:
        return len(self._graphs)

    def find(self, key: Hashable) -> Captured | None:
        """Return a graph and mark it as used now; None if it is not there."""
        found = self._graphs.get(key)
        if found is not None:
            self._graphs.move_to_end(key)
        return found

    def keep(self, key: Hashable, captured: Captured) -> None:
        """Add a graph, and drop others if there are too many."""
        self._graphs[key] = captured
        while len(self._graphs) > 1 and self._is_overfull():
            wait_for_device()  # it may still be running
            self._graphs.popitem(last=False)

    def clear(self) -> None:
        """Drop every graph, and the memory they share."""
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
            A batch on the device.

        Returns
        -------
        Captured
            To pass to `keep`.

        Raises
        ------
        RuntimeError
            If the network cannot be captured.
        """
        if self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
        if self._aside is None:
            self._aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        return _capture(network, batch, self._pool, self._aside)

    def _is_overfull(self) -> bool:
        held = sum(captured.held_bytes for captured in self._graphs.values())
        return len(self._graphs) > self._max_graphs or held > self._max_bytes


class Graphed:
    """A network that is captured for the shapes that occur often.

    Parameters
    ----------
    network : Callable
        Takes a batch and returns tensors. On CUDA it must neither wait for the device nor derive
        shapes from computed values.
    name : str
        Its name in the message if a capture fails.
    shelf : GraphShelf, optional
        The shelf that keeps its graphs; by default the process's shared one.
    """

    def __init__(self, network: Network, name: str, shelf: GraphShelf | None = None) -> None:
        self._network, self._name = network, name
        self._shelf = shared_shelf() if shelf is None else shelf  # an empty one is falsy
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
            Its outputs on the device, valid until the next call.
        """
        if batch.device.type != "cuda" or not self._can_be_captured:
            return self._network(batch)
        # The network itself, not its id, which another network may get once this one is gone.
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
        """Capture; if it fails, log this once, do not try again, and return None."""
        before = torch.cuda.current_stream()
        try:
            return self._shelf.capture(self._network, batch)
        except RuntimeError as error:  # of CUDA, or for lack of its memory
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
    """Wait until the device, if there is one, has finished its work."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _capture(network: Network, batch: Tensor, pool: Any, aside: Any) -> Captured:
    """Capture on a side stream, after a warm-up run there that creates plans and workspaces."""
    static = batch.clone()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        network(static)
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=pool, stream=aside, capture_error_mode="thread_local"):
        outputs = network(static)
    return Captured(graph, static, outputs)
