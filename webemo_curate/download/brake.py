"""Limit the time of a transfer; pause it while there is no room for more of its body."""

import asyncio
from collections.abc import Callable
from typing import Any

import pycurl

from webemo_curate.download.room import Share


class Brake:
    """Ends a libcurl transfer at its time limit; pauses and resumes it outside of its time.

    libcurl's own limit would go by the wall clock, and end a transfer whose answer is there when
    the event loop is late to read it; see `runner.patient_loop`.

    Parameters
    ----------
    curl : pycurl.Curl
        The transfer.
    share : Share or None
        The bytes that this transfer's body holds of the shared room; None to pause never.
    seconds : float
        Time limit of the whole transfer, pauses excluded.
    fail : callable
        Ends the transfer; called with libcurl's error code and a message.
    """

    def __init__(
        self, curl: Any, share: Share | None, seconds: float, fail: Callable[[int, str], None]
    ) -> None:
        self._curl, self._share, self._fail = curl, share, fail
        self._loop = asyncio.get_running_loop()
        self._left = seconds
        self._stands = self._ended = False
        self._since, self._timer = self._run()

    def lets(self, size: int) -> bool:
        """Return whether more of the body may be taken now; if not, libcurl must pause."""
        if not self._share or self._share.take(size, lambda: self._soon(self._go_on)):
            return True
        self._soon(self._stop)
        return False

    def end(self) -> None:
        """Stop acting: the transfer has ended."""
        self._ended = True
        self._timer.cancel()
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
        self._timer.cancel()

    def _go_on(self) -> None:
        self._count_wait()
        self._since, self._timer = self._run()
        try:
            self._curl.pause(pycurl.PAUSE_CONT)
        except pycurl.error as error:
            self._fail(int(error.args[0]), str(error.args[-1]))

    def _count_wait(self) -> None:
        if self._stands and self._share:
            self._share.waited += self._loop.time() - self._since
            self._stands = False

    def _run(self) -> tuple[float, asyncio.TimerHandle]:
        """Let the time of the transfer pass; return since when, and the timer of its end."""
        now, left = self._loop.time(), max(0.0, self._left)
        end = self._loop.call_at(now + left, self._fail, pycurl.E_OPERATION_TIMEDOUT, "")
        return now, end
