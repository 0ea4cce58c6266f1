"""Make what comes next in a thread of its own, while what came before is used."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def one_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield items, each made while the one before it is used.

    Parameters
    ----------
    items : iterable
        Made in a thread, one at a time; at most one is kept that was not asked for.

    Yields
    ------
    object
        The items, in their order. What making one raises is raised where it would be yielded.
    """
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, iterator, end)
        while (item := coming.result()) is not end:
            coming = maker.submit(next, iterator, end)
            yield item  # type: ignore[misc]  # it is not the end
