"""One transfer, paused while there is no room for more of its body."""

import asyncio
from collections.abc import Callable
from typing import Any

import pycurl

from webemo_curate.download.room import Share


class Brake:
    """Pauses and resumes a transfer of libcurl; the time it is paused is not counted as its own.

    Parameters
    ----------
    curl : pycurl.Curl
        The transfer; libcurl bounds its time until it stops for the first time.
    share : Share
        What its body holds of the room for all.
    seconds : float
        For all of it.
    fail : callable
        Ends the transfer, given libcurl's error and what is said of it.
    """

    def __init__(
        self, curl: Any, share: Share, seconds: float, fail: Callable[[int, str], None]
    ) -> None:
        self._curl, self._share, self._fail = curl, share, fail
        self._loop = asyncio.get_running_loop()
        self._left, self._since = seconds, self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._stands = self._ended = False

    def lets(self, size: int) -> bool:
        """Tell whether more of the body may be taken; called by libcurl, which must wait if not."""
        if self._share.take(size, lambda: self._soon(self._go_on)):
            return True
        self._soon(self._stop)
        return False

    def end(self) -> None:
        """Do nothing more: the transfer has ended."""
        self._ended = True
        self._clear_timer()
        self._count_wait()

    def _soon(self, act: Callable[[], None]) -> None:
        """Act once libcurl, which may be calling, has returned."""
        self._loop.call_soon(self._act_unless_ended, act)

    def _act_unless_ended(self, act: Callable[[], None]) -> None:
        if not self._ended:
            act()

    def _stop(self) -> None:
        now = self._loop.time()
        self._left -= now - self._since
        self._stands, self._since = True, now
        self._clear_timer()
        self._curl.setopt(pycurl.TIMEOUT_MS, 0)

    def _go_on(self) -> None:
        self._count_wait()
        self._since = self._loop.time()
        left = max(0.0, self._left)
        self._timer = self._loop.call_later(left, self._fail, pycurl.E_OPERATION_TIMEDOUT, "")
        try:
            self._curl.pause(pycurl.PAUSE_CONT)
        except pycurl.error as error:
            self._fail(int(error.args[0]), str(error.args[-1]))

    def _count_wait(self) -> None:
        if self._stands:
            self._share.waited += self._loop.time() - self._since
            self._stands = False

    def _clear_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
