"""Watch libcurl's sockets for the events that it waits for."""

import selectors
from contextlib import suppress
from typing import Final

import pycurl

EVENTS: Final = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}
"""A selector's events by what libcurl waits for."""


class Sockets:
    """The sockets of a pool of connections, watched as one file.

    An event loop that watches this file spends far less than one that watches each socket.
    """

    def __init__(self) -> None:
        # Linux's and the BSDs' selectors are files themselves.
        self._selector = selectors.DefaultSelector()
        self._watched: dict[int, int] = {}

    def fileno(self) -> int:
        """Return the file's number; it can be read when a socket has an event."""
        return self._selector.fileno()

    def watch(self, descriptor: int, action: int) -> None:
        """Watch a socket as libcurl asks, or no more."""
        before = self._watched.pop(descriptor, None)
        events = EVENTS.get(action)
        if events is None:
            if before is not None:
                with suppress(OSError):  # it is closed already
                    self._selector.unregister(descriptor)
            return
        self._watched[descriptor] = events
        if before is None:
            self._selector.register(descriptor, events)
        elif before != events:
            self._selector.modify(descriptor, events)

    def ready(self) -> list[tuple[int, int]]:
        """Return the sockets that have events, each with libcurl's name for these.

        A socket with an error is ready for what it is watched for, so that libcurl finds the error.
        """
        found = []
        for key, events in self._selector.select(0):
            into = pycurl.CSELECT_IN if events & selectors.EVENT_READ else 0
            out = pycurl.CSELECT_OUT if events & selectors.EVENT_WRITE else 0
            found.append((key.fd, into | out))
        return found

    def close(self) -> None:
        """Watch nothing any more."""
        self._selector.close()
