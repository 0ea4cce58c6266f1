"""Run networks on a device: start batches and collect their results.

Batches of one shape always hold the same number of entries; missing ones are filled up. The result
for a picture then depends only on that picture, to the last bit, whatever shares its batch.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from webemo_curate.ocr.asking import Answer, Item
from webemo_curate.ocr.graphed import Graphed, Outputs


class DeviceNetwork(Protocol):
    """A network loaded on a device."""

    def run(self, batch: Tensor) -> Outputs:
        """Compute a batch.

        Parameters
        ----------
        batch : Tensor
            Shape (entries, ...), on the device.

        Returns
        -------
        tuple of Tensor
            On the device, each of shape (entries, ...). Nothing may wait for the device.
        """

    def answers(self, outputs: Sequence[NDArray[Any]]) -> list[Answer]:
        """Split the outputs of `run`, copied to the CPU, into one answer for each entry."""


class NetworkFile(Protocol):
    """A network that can be opened; picklable and hashable, loads nothing before."""

    def __hash__(self) -> int:
        """Return a hash that differs between networks."""

    def open(self, device: str) -> DeviceNetwork:
        """Load the network on a device, `cuda` or `cpu`.

        Raises
        ------
        CurateError
            If a file is missing or broken.
        """

    def entries(self, shape: tuple[int, ...]) -> int:
        """Return how many items of a shape make a batch."""


class Started(NamedTuple):
    """A batch that has been started.

    Attributes
    ----------
    outputs
        On the CPU; valid once `event` has completed.
    event
        A `torch.cuda.Event`; None on a CPU, where the batch is already done.
    items
        Number of entries that are not padding.
    """

    outputs: Outputs
    event: Any
    items: int

    def is_done(self) -> bool:
        """Return whether the outputs are ready."""
        return self.event is None or bool(self.event.query())


@dataclass
class NetworkRunner:
    """Runs batches of a network, as CUDA graphs on a GPU.

    Parameters
    ----------
    network : DeviceNetwork
        The network to run.
    device : str
        `cuda` or `cpu`.
    name : str
        Its name in messages.
    """

    network: DeviceNetwork
    device: str
    name: str

    def __post_init__(self) -> None:
        self._graphed = Graphed(self.network.run, self.name)
        self._on_gpu = self.device == "cuda"
        # cuBLAS reads this when it is first used. With it, a product's bits do not depend on the
        # stream, so that a graph gives the same bits as the steps it was captured from.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

    @torch.inference_mode()
    def start(self, items: Sequence[Item], entries: int) -> Started:
        """Start a batch.

        Parameters
        ----------
        items : Sequence of numpy.ndarray
            Inputs of one shape and type, at least one; they may be changed afterwards.
        entries : int
            Number of entries to fill the batch up to, by repeating the last item.

        Returns
        -------
        Started
            To pass to `finish`; a GPU may still be computing it.
        """
        outputs = self._graphed(self._staged(items, entries).to(self.device, non_blocking=True))
        if not self._on_gpu:
            return Started(outputs, None, len(items))
        copies = tuple(
            torch.empty(each.shape, dtype=each.dtype, pin_memory=True).copy_(
                each, non_blocking=True
            )
            for each in outputs
        )
        event: Any = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
        return Started(copies, event, len(items))

    def finish(self, started: Started) -> list[Answer]:
        """Wait for a batch; return an answer for each of its items."""
        if started.event is not None:
            started.event.synchronize()
        found = [each[: started.items].numpy() for each in started.outputs]
        return self.network.answers(found)

    def __call__(self, items: Sequence[Item], entries: int) -> list[Answer]:
        """Run a batch and wait for it; see `start`."""
        return self.finish(self.start(items, entries))

    def _staged(self, items: Sequence[Item], entries: int) -> Tensor:
        """Copy items into one batch, in memory that a GPU can read."""
        example = torch.from_numpy(np.empty(0, items[0].dtype))
        staged = torch.empty(
            (entries, *items[0].shape), dtype=example.dtype, pin_memory=self._on_gpu
        )
        rows = staged.numpy()
        for index in range(entries):
            rows[index] = items[min(index, len(items) - 1)]
        return staged
