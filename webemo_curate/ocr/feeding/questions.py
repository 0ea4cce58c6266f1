"""The messages between helpers and the process that runs the networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from webemo_curate.ocr.asking import Answer, Item
from webemo_curate.runner.arena import ALIGNMENT, Arena

INLINE_BYTES = 2**16
"""Bytes; smaller arrays of answers are sent in the message itself."""


@dataclass(frozen=True)
class Place:
    """An array in the shared memory.

    Attributes
    ----------
    offset
        Offset in bytes.
    room
        Bytes available there for an answer.
    shape, dtype
        Shape and type of the array.
    """

    offset: int
    room: int
    shape: tuple[int, ...]
    dtype: str

    def look(self, arena: Arena) -> Item:
        """Return the array in place."""
        return arena.array(self.offset, self.shape, self.dtype)


Carried = Item | Place
"""An array, in the message or in the shared memory."""


@dataclass(frozen=True)
class Asked:
    """Items for a network.

    Attributes
    ----------
    network
        Name of the network.
    items
        Its inputs, of any shapes.
    """

    network: str
    items: tuple[Carried, ...]


@dataclass(frozen=True)
class Reply:
    """An answer for each item of a question; see `DeviceNetwork.answers`."""

    answers: tuple[tuple[Carried, ...] | None, ...]


@dataclass(frozen=True)
class Refused:
    """The failure of a network; `reason` describes it."""

    reason: str


class FailedNetworkError(Exception):
    """A network failed in the process that runs it."""


class Packer:
    """Places items in shared memory, each with room for its answer.

    Parameters
    ----------
    arena : Arena
        The shared memory.
    """

    def __init__(self, arena: Arena) -> None:
        self._arena = arena

    def pack(self, items: Sequence[Item]) -> list[Carried]:
        """Place as many of the first items as fit.

        Parameters
        ----------
        items : Sequence of numpy.ndarray
            At least one item.

        Returns
        -------
        list of numpy.ndarray or Place
            At least the first; if it exceeds the whole memory, it is sent in the message.
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
    """Write an answer's array in its item's place, if it is large enough and fits.

    Parameters
    ----------
    array : numpy.ndarray
        An array of the answer.
    place : numpy.ndarray or Place
        The place in which the item came; it has been read by now.
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
    """Return an answer from a message, copied out of the shared memory."""
    if answer is None:
        return None
    return tuple(part.look(arena).copy() if isinstance(part, Place) else part for part in answer)


def _room(item: Any) -> int:
    """Return the bytes to reserve for an item: heatmaps are a third larger than canvases."""
    wanted = item.nbytes * 4 // 3
    return -(-wanted // ALIGNMENT) * ALIGNMENT
