"""Watch libcurl's sockets for the events that it waits for."""

import select
from contextlib import suppress
from typing import Final

import pycurl

EVENTS: Final = {
    pycurl.POLL_NONE: 0,
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
}
"""Events of epoll by what libcurl waits for."""


class Sockets:
    """The sockets of a pool of connections, watched as one file.

    An event loop that watches this file spends far less than one that watches each socket.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, int] = {}

    def fileno(self) -> int:
        """Return the file's number; it can be read when a socket has an event."""
        return self._epoll.fileno()

    def watch(self, descriptor: int, action: int) -> None:
        """Watch a socket as libcurl asks, or no more."""
        before = self._watched.pop(descriptor, None)
        if action == pycurl.POLL_REMOVE:
            with suppress(OSError):  # it is closed already
                self._epoll.unregister(descriptor)
            return
        events = self._watched[descriptor] = EVENTS[action]
        if before is None:
            self._epoll.register(descriptor, events)
        else:
            self._epoll.modify(descriptor, events)

    def ready(self) -> list[tuple[int, int]]:
        """Return the sockets that have events, each with libcurl's name for these.

        A socket with an error is ready for what it is watched for, so that libcurl finds the error.
        """
        found = []
        for descriptor, events in self._epoll.poll(0):
            wanted = self._watched.get(descriptor, 0)
            into = wanted & select.EPOLLIN and events & ~select.EPOLLOUT
            out = wanted & select.EPOLLOUT and events & ~select.EPOLLIN
            mask = pycurl.CSELECT_IN * bool(into) | pycurl.CSELECT_OUT * bool(out)
            found.append((descriptor, mask))
        return found

    def close(self) -> None:
        """Watch nothing any more."""
        self._epoll.close()
