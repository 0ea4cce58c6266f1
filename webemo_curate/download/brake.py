"""Pause a transfer while there is no room for more of its body."""

import asyncio
from collections.abc import Callable
from typing import Any

import pycurl

from webemo_curate.download.room import Share


class Brake:
    """Pauses and resumes a libcurl transfer; paused time does not count against its time limit.

    Parameters
    ----------
    curl : pycurl.Curl
        The transfer. Until the first pause, libcurl itself enforces the time limit.
    share : Share
        The bytes that this transfer's body holds of the shared room.
    seconds : float
        Time limit of the whole transfer, pauses excluded.
    fail : callable
        Ends the transfer; called with libcurl's error code and a message.
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
        """Return whether more of the body may be taken now; if not, libcurl must pause."""
        if self._share.take(size, lambda: self._soon(self._go_on)):
            return True
        self._soon(self._stop)
        return False

    def end(self) -> None:
        """Stop acting: the transfer has ended."""
        self._ended = True
        self._clear_timer()
        self._count_wait()

    def _soon(self, act: Callable[[], None]) -> None:
        """Call `act` on the event loop's next round, once libcurl's callback has returned."""
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
