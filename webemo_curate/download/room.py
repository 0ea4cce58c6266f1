"""Memory for bodies: those on their way and those that wait to be looked at, of all requests."""

from collections.abc import Callable
from typing import Final

MOST_HELD_BYTES: Final = 256 * 2**20
"""Of bodies at once. A photo has some hundred KB, so that hundreds fit; where each is as long as it
may be, they come one after another."""


class Room:
    """Shares out a number of bytes, so that what is held stays bounded and something goes on.

    Whoever finds no room waits until some is given back. One at a time may go beyond: if all that
    is held belongs to bodies that are not complete, that one ends and gives its bytes back. So at
    most `size` and one body are held.

    Parameters
    ----------
    size : int, optional
        Bytes.
    """

    def __init__(self, size: int = MOST_HELD_BYTES) -> None:
        self._size = self._left = size
        self._waiting: dict[Share, Callable[[], None]] = {}
        self._beyond: Share | None = None

    @property
    def is_open(self) -> bool:
        """Whether further bodies may be asked for: half is kept for those on their way."""
        return self._left > self._size // 2

    def share(self) -> "Share":
        """Return an empty share, for one body."""
        return Share(self)

    def take(self, share: "Share", size: int, wake: Callable[[], None]) -> bool:
        """Take bytes, or note whom to wake up; see `Share.take`."""
        if size > self._left:
            if self._beyond not in (None, share):
                self._waiting[share] = wake
                return False
            self._beyond = share
        self._left -= size
        return True

    def give_back(self, share: "Share", size: int) -> None:
        """Take back all bytes of a share, and wake up who waits for them."""
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
    """What one body holds of a room.

    Parameters
    ----------
    room : Room
        Shared with others.

    Attributes
    ----------
    size
        Bytes held.
    waited
        Seconds for which the body stood still because there was no room.
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
            How many.
        wake : callable
            Called once it is worth another try, if there is no room now.

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
        """Give back all that is held: the body is kept by nobody any more."""
        size, self.size = self.size, 0
        self._room.give_back(self, size)
