"""Batch items of exactly the same size, so that no item's result depends on its neighbors."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, TypeVar

from webemo_curate.ocr.detector import Device

THREADS = 8
"""Threads that scale images and decode heatmaps beside a GPU."""

BATCHES_AT_ONCE = 8
"""Batches of images taken together on a GPU, so that most canvas sizes fill a batch."""

SERVED_IMAGES = 32
"""Images taken together if another process runs the networks: it gathers the items of many."""

COMMON_ASPECT = 2.0
"""Aspect ratios of common photos: few are longer, and upright ones are rarer than landscape
ones."""

COMMON_WIDTH, LONG_WIDTH = 256, 640
"""Widths, in pixels, up to which most crops of words and of lines lie."""

Result = TypeVar("Result")


class Batching(NamedTuple):
    """How much an engine processes at once.

    Attributes
    ----------
    images
        Number of images to pass to the engine together.
    threads
        Threads that prepare canvases and decode heatmaps.
    """

    images: int
    threads: int


def batching(device: Device, batch_size: int, *, served: bool = False) -> Batching:
    """Return how much to process at once.

    Parameters
    ----------
    device : {"cpu", "gpu"}
        On a CPU items go one by one: batches gain nothing there, and would change the last bits.
    batch_size : int
        Canvases, and crops, processed together on a GPU.
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

    A partly filled batch costs as much as a full one, so rare shapes get small batches. The number
    depends only on the shape, and so does cuDNN's result, to the last bit.

    Parameters
    ----------
    shape : (int, int, int)
        Height, width and colors.
    batch_size : int
        Batch size of the most common shapes.

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
        Width in pixels.
    batch_size : int
        Batch size of the most common widths.

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
    """Process items in batches of equal size.

    Parameters
    ----------
    sizes : Sequence of hashable
        The size of each item.
    batch_size : Callable
        Takes an item's index; returns the largest batch for items of its size.
    work : Callable
        Takes the indices of a batch's items; returns one result for each.

    Returns
    -------
    list
        The result of each item, in the order of the items.
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
