"""Questions to the process that runs the networks, and its answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from webemo_curate.ocr.asking import Answer, Item
from webemo_curate.ocr.feeding.arena import ALIGNMENT, Arena

INLINE_BYTES = 2**16
"""Smaller arrays of answers travel in the message itself."""


@dataclass(frozen=True)
class Place:
    """An array in the shared memory.

    Attributes
    ----------
    offset
        Bytes from its beginning.
    room
        Bytes that are free there for an answer.
    shape, dtype
        The array's.
    """

    offset: int
    room: int
    shape: tuple[int, ...]
    dtype: str

    def look(self, arena: Arena) -> Item:
        """Return the array where it lies."""
        return arena.array(self.offset, self.shape, self.dtype)


Carried = Item | Place
"""An array, in the message or in the shared memory."""


@dataclass(frozen=True)
class Asked:
    """Items for a network.

    Attributes
    ----------
    network
        Its name.
    items
        What it is to work on, of any shapes.
    """

    network: str
    items: tuple[Carried, ...]


@dataclass(frozen=True)
class Reply:
    """An answer for each item of a question; see `DeviceNetwork.answers`."""

    answers: tuple[tuple[Carried, ...] | None, ...]


@dataclass(frozen=True)
class Refused:
    """The network failed; `reason` says how."""

    reason: str


class FailedNetworkError(Exception):
    """A network failed in the process that runs it."""


class Packer:
    """Lays items out in shared memory, each with room for its answer.

    Parameters
    ----------
    arena : Arena
        Where they lie.
    """

    def __init__(self, arena: Arena) -> None:
        self._arena = arena

    def pack(self, items: Sequence[Item]) -> list[Carried]:
        """Lay out as many of the first items as there is room for.

        Parameters
        ----------
        items : Sequence of numpy.ndarray
            One or more.

        Returns
        -------
        list of numpy.ndarray or Place
            At least the first: where it is larger than all the memory, it goes by message.
        """
        places: list[Carried] = []
        offset = 0
        for item in items:
            room = _room(item)
            if offset + room > self._arena.size:
                break
            place = Place(offset, room, item.shape, item.dtype.str)
            place.look(self._arena)[...] = item
            places.append(place)
            offset += room
        return places or [items[0]]


def carried(array: Item, place: Carried, arena: Arena) -> Carried:
    """Write an array of an answer where its item lies, if that is worth it and there is room.

    Parameters
    ----------
    array : numpy.ndarray
        Of the answer.
    place : numpy.ndarray or Place
        Where the item came in, which has been read by now.
    arena : Arena
        The shared memory.

    Returns
    -------
    numpy.ndarray or Place
        What to put into the message.
    """
    if isinstance(place, Place) and INLINE_BYTES < array.nbytes <= place.room:
        own = Place(place.offset, place.room, array.shape, array.dtype.str)
        own.look(arena)[...] = array
        return own
    return array


def taken(answer: tuple[Carried, ...] | None, arena: Arena) -> Answer:
    """Return an answer out of a message, copied out of the shared memory."""
    if answer is None:
        return None
    return tuple(part.look(arena).copy() if isinstance(part, Place) else part for part in answer)


def _room(item: Any) -> int:
    """Return the bytes that an item takes: heatmaps are a third larger than canvases."""
    wanted = item.nbytes * 4 // 3
    return -(-wanted // ALIGNMENT) * ALIGNMENT
