"""Send work to a detector's networks, which run in this process or in one that serves many."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from webemo_curate.ocr.batches import map_batches

if TYPE_CHECKING:
    from webemo_curate.ocr.device_network import NetworkFile, NetworkRunner


Item = NDArray[Any]
"""Input of a network: a canvas or a crop."""

Answer = tuple[NDArray[Any], ...] | None
"""A network's output for one item; None if the item holds nothing."""


class Networks(Protocol):
    """Networks that can be called by name."""

    def ask(self, name: str, items: Sequence[Item]) -> list[Answer]:
        """Run a network on items.

        Parameters
        ----------
        name : str
            Name of the network.
        items : Sequence of numpy.ndarray
            The network's inputs, of any shapes.

        Returns
        -------
        list of tuple or None
            One answer for each item; see `DeviceNetwork.answers`.
        """


class OwnNetworks:
    """Networks of this process; each is loaded once, however many detectors use it.

    Parameters
    ----------
    files : Mapping of str to NetworkFile
        The networks, by name.
    device : str
        `cuda` or `cpu`. On a CPU, items are processed one by one.
    """

    def __init__(self, files: "Mapping[str, NetworkFile]", device: str) -> None:
        self._files, self._device = files, device
        self._runners = {name: open_runner(name, file, device) for name, file in files.items()}

    def ask(self, name: str, items: Sequence[Item]) -> list[Answer]:
        """Run a network on items; see `Networks.ask`."""
        runner, file = self._runners[name], self._files[name]

        def entries(index: int) -> int:
            return batch_entries(file, items[index].shape, self._device)

        def work(batch: list[int]) -> list[Answer]:
            found = runner([items[index] for index in batch], entries(batch[0]))
            # Copied, so that an answer that is kept does not keep its whole batch in memory.
            return [each and tuple(map(np.array, each)) for each in found]

        return map_batches([item.shape for item in items], entries, work)


def batch_entries(file: "NetworkFile", shape: tuple[int, ...], device: str) -> int:
    """Return how many items of a shape make a batch on a device.

    Parameters
    ----------
    file : NetworkFile
        The network.
    shape : tuple of int
        Shape of the items.
    device : str
        On `cpu`, items are processed one by one.

    Returns
    -------
    int
        1 or more.
    """
    return 1 if device == "cpu" else file.entries(shape)


@cache
def open_runner(name: str, file: "NetworkFile", device: str) -> "NetworkRunner":
    """Load a network, once a process.

    Parameters
    ----------
    name : str
        Name of the network, for messages.
    file : NetworkFile
        The network to load; hashable.
    device : str
        `cuda` or `cpu`.

    Returns
    -------
    NetworkRunner
        The network, ready to run.
    """
    from webemo_curate.ocr.device_network import NetworkRunner

    return NetworkRunner(file.open(device), device, name)


_SERVING: ContextVar[Networks | None] = ContextVar(
    "what runs this process's networks", default=None
)


@contextmanager
def served_by(networks: Networks) -> Iterator[None]:
    """Let detectors that are set up in the block use these networks instead of their own."""
    token = _SERVING.set(networks)
    try:
        yield
    finally:
        _SERVING.reset(token)


def is_served() -> bool:
    """Return whether another process runs the networks of this one."""
    return _SERVING.get() is not None


def networks_for(files: "Mapping[str, NetworkFile]", device: str) -> Networks:
    """Return the networks that serve this process; if there are none, load its own.

    Parameters
    ----------
    files : Mapping of str to NetworkFile
        The networks, by name.
    device : str
        `cuda` or `cpu`.

    Returns
    -------
    Networks
        The networks to call.
    """
    return _SERVING.get() or OwnNetworks(files, device)
