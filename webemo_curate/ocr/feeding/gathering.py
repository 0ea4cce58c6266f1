"""Items of many questions, gathered by shape until they fill a batch."""

import time
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

PATIENCE_SECONDS = 1.0
"""Items that have waited longer come first, however few they are."""

ItemT = TypeVar("ItemT")


class Group(NamedTuple):
    """What may share a batch.

    Attributes
    ----------
    network
        Its name.
    shape, dtype
        The items'.
    """

    network: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class _Waiting(Generic[ItemT]):
    item: ItemT
    since: float


class Gathering(Generic[ItemT]):
    """Items that wait for a batch. What each gets does not depend on when its batch is run."""

    def __init__(self) -> None:
        self._groups: OrderedDict[Group, deque[_Waiting[ItemT]]] = OrderedDict()
        self._entries: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def add(self, group: Group, entries: int, item: ItemT) -> None:
        """Let an item wait.

        Parameters
        ----------
        group : Group
            What it may share a batch with.
        entries : int
            Items of that group in a full batch.
        item : object
            The item.
        """
        self._entries[group] = entries
        self._groups.setdefault(group, deque()).append(_Waiting(item, time.monotonic()))

    def take(self, *, hurry: bool) -> tuple[Group, int, list[ItemT]] | None:
        """Return the batch to be run next.

        Parameters
        ----------
        hurry : bool
            Whether a batch that is not full will do, for nothing fuller can be had soon.

        Returns
        -------
        (Group, int, list) or None
            The group, the entries of its batches, and no more items; the fullest, or those that
            have waited long. None if it is better to wait.
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
        """Return the group whose first item has waited longest, if that is too long."""
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
