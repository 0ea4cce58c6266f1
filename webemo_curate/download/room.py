"""Bound the memory of all bodies that are being received or wait to be examined."""

from collections.abc import Callable
from typing import Final

MAX_HELD_BYTES: Final = 256 * 2**20
"""Bytes of all bodies together. Photos of some hundred KB fit by the hundreds; bodies of the
largest allowed size arrive one after another."""


class Room:
    """Shares out a number of bytes, so that memory stays bounded and transfers still progress.

    A transfer that finds no room waits until bytes are given back. One transfer at a time may
    exceed the limit: if all bytes are held by incomplete bodies, this one can finish and give its
    bytes back. So at most `size` plus one body are held.

    Parameters
    ----------
    size : int, optional
        Most bytes held.
    """

    def __init__(self, size: int = MAX_HELD_BYTES) -> None:
        self._size = self._left = size
        self._waiting: dict[Share, Callable[[], None]] = {}
        self._beyond: Share | None = None

    @property
    def is_open(self) -> bool:
        """Whether new requests may begin; half is reserved for bodies being received."""
        return self._left > self._size // 2

    def share(self) -> "Share":
        """Return an empty share for one body."""
        return Share(self)

    def take(self, share: "Share", size: int, wake: Callable[[], None]) -> bool:
        """Take bytes for a share, or note whom to wake; see `Share.take`."""
        if size > self._left:
            if self._beyond not in (None, share):
                self._waiting[share] = wake
                return False
            self._beyond = share
        self._left -= size
        return True

    def give_back(self, share: "Share", size: int) -> None:
        """Give back all bytes of a share, and wake those that wait for room."""
        self._left += size
        self._waiting.pop(share, None)
        if self._beyond is share:
            self._beyond = None
        if self.is_open:
            awake, self._waiting = self._waiting, {}
            for wake in awake.values():
                wake()
        elif self._waiting and self._beyond is None:
            self._waiting.pop(next(iter(self._waiting)))()


class Share:
    """The bytes that one body holds of a room.

    Parameters
    ----------
    room : Room
        The room, shared with other bodies.

    Attributes
    ----------
    size
        Bytes held.
    waited
        Seconds for which the transfer waited for room, or for anything else of this machine.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self.size = 0
        self.waited = 0.0

    def take(self, size: int, wake: Callable[[], None]) -> bool:
        """Take more bytes.

        Parameters
        ----------
        size : int
            Number of bytes.
        wake : callable
            Called when another try is worthwhile, if there is no room now.

        Returns
        -------
        bool
            Whether there was room.
        """
        if not self._room.take(self, size, wake):
            return False
        self.size += size
        return True

    def give_back(self) -> None:
        """Give back all bytes, because the body is no longer in use."""
        size, self.size = self.size, 0
        self._room.give_back(self, size)
