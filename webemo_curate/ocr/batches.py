"""Batches of what has exactly the same size, so that a neighbor never changes a result."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from webemo_curate.ocr.detector import Device

if TYPE_CHECKING:
    from torch import Tensor

THREADS = 8
"""Threads that scale images and decode heatmaps while a GPU works."""

BATCHES_AT_ONCE = 8
"""Batches' worth of images taken together on a GPU, so that most canvas sizes fill theirs."""

Result = TypeVar("Result")
Batch = TypeVar("Batch", NDArray[Any], "Tensor")


class Batching(NamedTuple):
    """How much an engine does at once.

    Attributes
    ----------
    batch_size
        Canvases, or crops, that a network takes together.
    images
        Images worth passing to the engine together.
    threads
        Threads that prepare canvases and decode heatmaps.
    """

    batch_size: int
    images: int
    threads: int


def batching(device: Device, batch_size: int) -> Batching:
    """Return how much to do at once on a device.

    Parameters
    ----------
    device : {"cpu", "gpu"}
        On a CPU everything goes one by one: batches gain nothing there, and change the last bits.
    batch_size : int
        Canvases, and crops, run together on a GPU.

    Returns
    -------
    Batching
        The amounts.
    """
    if device == "cpu":
        return Batching(1, 1, 1)
    return Batching(batch_size, BATCHES_AT_ONCE * batch_size, THREADS)


def fill_up(batch: Batch) -> Batch:
    """Repeat the last entry until their number is a power of two.

    For every shape that a convolution has not met yet cuDNN makes a new plan, on the CPU, while the
    GPU waits. So a network should meet few sizes of batches.

    Parameters
    ----------
    batch : numpy.ndarray or Tensor
        One entry or more, along the first axis.

    Returns
    -------
    numpy.ndarray or Tensor
        At least as many entries; cut the results of those added off.
    """
    filled = 1 << (len(batch) - 1).bit_length()
    return batch[np.minimum(np.arange(filled), len(batch) - 1)]


def run_filled(network: Callable[[Batch], "Tensor"], batch: Batch) -> "Tensor":
    """Run a network on a batch that is filled up, and cut off what comes of the filling.

    Parameters
    ----------
    network : Callable
        Takes a batch, returns something for each of its entries.
    batch : numpy.ndarray or Tensor
        See `fill_up`.

    Returns
    -------
    Tensor
        What the network makes of the batch's own entries.
    """
    return network(fill_up(batch))[: len(batch)]


def map_batches(
    sizes: Sequence[Hashable], batch_size: int, work: Callable[[list[int]], Sequence[Result]]
) -> list[Result]:
    """Do work in batches of items of equal size.

    Parameters
    ----------
    sizes : Sequence of hashable
        The size of each item.
    batch_size : int
        Items in a batch, at most.
    work : Callable
        Takes the indices of a batch's items, returns a result for each.

    Returns
    -------
    list
        The result of each item, in the items' order.
    """
    by_size = defaultdict(list)
    for index, size in enumerate(sizes):
        by_size[size].append(index)
    results: dict[int, Result] = {}
    for members in by_size.values():
        for start in range(0, len(members), batch_size):
            batch = members[start : start + batch_size]
            results |= zip(batch, work(batch), strict=True)
    return [results[index] for index in range(len(sizes))]
