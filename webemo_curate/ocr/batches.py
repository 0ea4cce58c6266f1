"""Batches of what has exactly the same size, so that a neighbor never changes a result."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, TypeVar

from webemo_curate.ocr.detector import Device

THREADS = 8
"""Threads that scale images and decode heatmaps beside a GPU."""

BATCHES_AT_ONCE = 8
"""Batches' worth of images taken together on a GPU, so that most canvas sizes fill theirs."""

SERVED_IMAGES = 32
"""Images taken together by a process whose networks another one runs: it gathers those of many."""

COMMON_ASPECT = 2.0
"""Photos are seldom longer than this; upright ones are rarer than those that lie."""

COMMON_WIDTH, LONG_WIDTH = 256, 640
"""Pixels up to which crops of words are wide, and of lines; fewer are wider."""

Result = TypeVar("Result")


class Batching(NamedTuple):
    """How much an engine does at once.

    Attributes
    ----------
    images
        Images worth passing to the engine together.
    threads
        Threads that prepare canvases and decode heatmaps.
    """

    images: int
    threads: int


def batching(device: Device, batch_size: int, *, served: bool = False) -> Batching:
    """Return how much to do at once.

    Parameters
    ----------
    device : {"cpu", "gpu"}
        On a CPU everything goes one by one: batches gain nothing there, and change the last bits.
    batch_size : int
        Canvases, and crops, run together on a GPU.
    served : bool, default False
        Whether another process runs the networks.

    Returns
    -------
    Batching
        The amounts.
    """
    if device == "cpu":
        return Batching(1, 1)
    if served:
        return Batching(SERVED_IMAGES, 1)
    return Batching(BATCHES_AT_ONCE * batch_size, THREADS)


def canvas_entries(shape: tuple[int, ...], batch_size: int) -> int:
    """Return how many canvases of a shape make a batch.

    A batch that is filled up costs as much as a full one, so rare shapes get small ones. The number
    depends on the shape alone: so does what cuDNN computes, to the last bit.

    Parameters
    ----------
    shape : (int, int, int)
        Height, width and colors.
    batch_size : int
        For the most common shapes.

    Returns
    -------
    int
        1 or more.
    """
    height, width = shape[:2]
    if max(height, width) > COMMON_ASPECT * min(height, width):
        return max(1, batch_size // 4)
    return batch_size if width >= height else max(1, batch_size // 2)


def crop_entries(width: int, batch_size: int) -> int:
    """Return how many crops of a width make a batch; see `canvas_entries`.

    Parameters
    ----------
    width : int
        Pixels.
    batch_size : int
        For the most common widths.

    Returns
    -------
    int
        1 or more.
    """
    if width <= COMMON_WIDTH:
        return batch_size
    return max(1, batch_size // (2 if width <= LONG_WIDTH else 4))


def map_batches(
    sizes: Sequence[Hashable],
    batch_size: Callable[[int], int],
    work: Callable[[list[int]], Sequence[Result]],
) -> list[Result]:
    """Do work in batches of items of equal size.

    Parameters
    ----------
    sizes : Sequence of hashable
        The size of each item.
    batch_size : Callable
        Takes the index of an item, returns how many of its size make a batch at most.
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
        step = batch_size(members[0])
        for start in range(0, len(members), step):
            batch = members[start : start + step]
            results |= zip(batch, work(batch), strict=True)
    return [results[index] for index in range(len(sizes))]
