"""Gather items of many questions by shape, until they fill a batch."""

import time
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

PATIENCE_SECONDS = 1.0
"""Seconds after which waiting items go first, however few they are."""

ItemT = TypeVar("ItemT")


class Group(NamedTuple):
    """Items that may share a batch.

    Attributes
    ----------
    network
        Name of the network.
    shape, dtype
        Shape and type of the items.
    """

    network: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class _Waiting(Generic[ItemT]):
    item: ItemT
    since: float


class Gathering(Generic[ItemT]):
    """Items that wait for a batch. An item's result does not depend on when its batch runs."""

    def __init__(self) -> None:
        self._groups: OrderedDict[Group, deque[_Waiting[ItemT]]] = OrderedDict()
        self._entries: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def add(self, group: Group, entries: int, item: ItemT) -> None:
        """Add an item.

        Parameters
        ----------
        group : Group
            The items that it may share a batch with.
        entries : int
            Items of that group in a full batch.
        item : object
            The item.
        """
        self._entries[group] = entries
        self._groups.setdefault(group, deque()).append(_Waiting(item, time.monotonic()))

    def take(self, *, hurry: bool) -> tuple[Group, int, list[ItemT]] | None:
        """Return the next batch to run.

        Parameters
        ----------
        hurry : bool
            Whether to accept a partly filled batch, because no fuller one can be expected soon.

        Returns
        -------
        (Group, int, list) or None
            The group, the entries of its batches, and at most that many items: the fullest batch,
            or the one that has waited long. None if it is better to wait.
        """
        group = self._late() or self._fullest(hurry=hurry)
        if group is None:
            return None
        waiting, entries = self._groups[group], self._entries[group]
        items = [waiting.popleft().item for _ in range(min(entries, len(waiting)))]
        if not waiting:
            del self._groups[group]
        return group, entries, items

    def _late(self) -> Group | None:
        """Return the group whose first item has waited longest, if this is too long."""
        if not self._groups:
            return None
        group = min(self._groups, key=lambda each: self._groups[each][0].since)
        late = time.monotonic() - self._groups[group][0].since > PATIENCE_SECONDS
        return group if late else None

    def _fullest(self, *, hurry: bool) -> Group | None:
        def filling(group: Group) -> float:
            return len(self._groups[group]) / self._entries[group]

        group = max(self._groups, key=filling, default=None)
        return group if group is not None and (hurry or filling(group) >= 1) else None
