"""Networks on a device: what one is, and how batches of it are started and taken back.

Batches of one shape always hold the same number of entries, filled up where there are fewer: what
is found in a picture then depends on it alone, to the last bit, whatever comes together with it.
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
    """A network, loaded on a device."""

    def run(self, batch: Tensor) -> Outputs:
        """Compute a batch.

        Parameters
        ----------
        batch : Tensor
            (entries, ...), on the device.

        Returns
        -------
        tuple of Tensor
            On the device, each (entries, ...). Nothing may wait for the device.
        """

    def answers(self, outputs: Sequence[NDArray[Any]]) -> list[Answer]:
        """Take what `run` returned, on the CPU, apart: an answer an entry."""


class NetworkFile(Protocol):
    """A network that can be opened; picklable and hashable, loads nothing before."""

    def __hash__(self) -> int:
        """Tell it from others."""

    def open(self, device: str) -> DeviceNetwork:
        """Load it on a device, `cuda` or `cpu`.

        Raises
        ------
        CurateError
            If a file is missing or broken.
        """

    def entries(self, shape: tuple[int, ...]) -> int:
        """Return how many items of a shape make a batch."""


class Started(NamedTuple):
    """A batch on its way.

    Attributes
    ----------
    outputs
        On the CPU; there when `event` has passed.
    event
        A `torch.cuda.Event`; None on a CPU, where all is done.
    items
        Entries of the batch that are no filling.
    """

    outputs: Outputs
    event: Any
    items: int

    def is_done(self) -> bool:
        """Tell whether the outputs are there."""
        return self.event is None or bool(self.event.query())


@dataclass
class NetworkRunner:
    """Runs batches of a network, as graphs where there is a GPU.

    Parameters
    ----------
    network : DeviceNetwork
        What is run.
    device : str
        `cuda` or `cpu`.
    name : str
        What it is called in messages.
    """

    network: DeviceNetwork
    device: str
    name: str

    def __post_init__(self) -> None:
        self._graphed = Graphed(self.network.run, self.name)
        self._on_gpu = self.device == "cuda"
        # cuBLAS reads it when it is first used: with it a product's bits do not depend on the
        # stream, so that a graph's are those of the steps it was captured from.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

    @torch.inference_mode()
    def start(self, items: Sequence[Item], entries: int) -> Started:
        """Start a batch.

        Parameters
        ----------
        items : Sequence of numpy.ndarray
            Of one shape and type, one or more; they may be changed afterwards.
        entries : int
            To how many they are filled up, by the last one.

        Returns
        -------
        Started
            For `finish`; a GPU may be at it still.
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
        """Wait for a batch; returns an answer for each of its items."""
        if started.event is not None:
            started.event.synchronize()
        found = [each[: started.items].numpy() for each in started.outputs]
        return self.network.answers(found)

    def __call__(self, items: Sequence[Item], entries: int) -> list[Answer]:
        """Run a batch and wait for it; see `start`."""
        return self.finish(self.start(items, entries))

    def _staged(self, items: Sequence[Item], entries: int) -> Tensor:
        """Copy items next to each other, where a GPU can read them."""
        example = torch.from_numpy(np.empty(0, items[0].dtype))
        staged = torch.empty(
            (entries, *items[0].shape), dtype=example.dtype, pin_memory=self._on_gpu
        )
        rows = staged.numpy()
        for index in range(entries):
            rows[index] = items[min(index, len(items) - 1)]
        return staged
