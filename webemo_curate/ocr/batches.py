"""Batches of what has exactly the same size, so that a neighbour never changes a result."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence


def equal_batches(sizes: Sequence[Hashable], batch_size: int) -> Iterator[list[int]]:
    """Yield indices of items of equal size, at most a batch at a time.

    Parameters
    ----------
    sizes : Sequence of hashable
        The size of each item.
    batch_size : int
        Items in a batch, at most.

    Yields
    ------
    list of int
        Each index is in one batch.
    """
    by_size = defaultdict(list)
    for index, size in enumerate(sizes):
        by_size[size].append(index)
    for members in by_size.values():
        for start in range(0, len(members), batch_size):
            yield members[start : start + batch_size]
