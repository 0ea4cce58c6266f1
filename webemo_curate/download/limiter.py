"""Politeness: how many requests one host sees at a time and in a second."""

import asyncio

RECOVERY = 1.02
"""Factor by which the rate grows back with each answer: doubled after 35 good ones."""

SLOWEST_SHARE = 1 / 64
"""The rate is never halved below this share of the user's."""

PAUSE_SECONDS = 1.0
"""How long a host rests after 429 or 503 if it names no time itself."""


class HostLimiter:
    """Spaces the requests to one host and slows down when it asks for it.

    Parameters
    ----------
    rate : float
        Requests a second at most.
    concurrency : int
        Requests under way at once.
    """

    def __init__(self, rate: float, concurrency: int) -> None:
        self.slots = asyncio.Semaphore(concurrency)
        self._full_rate = self._rate = rate
        self._next = self._resting_until = 0.0

    async def turn(self) -> None:
        """Wait until the next request may begin."""
        while True:
            now = asyncio.get_running_loop().time()
            if now >= self._next:
                self._next = max(self._next, now - 1 / self._rate) + 1 / self._rate
                return
            await asyncio.sleep(self._next - now)

    def throttled(self, retry_after: float | None) -> None:
        """Rest and halve the rate: the host answered 429 or 503.

        Parameters
        ----------
        retry_after : float, optional
            Seconds it asked for; None if it did not say.
        """
        now = asyncio.get_running_loop().time()
        if now >= self._resting_until:
            # Requests already under way are refused with this one: they are one complaint.
            self._rate = max(self._rate / 2, self._full_rate * SLOWEST_SHARE)
        pause = PAUSE_SECONDS if retry_after is None else retry_after
        self._resting_until = max(self._resting_until, now + pause)
        self._next = max(self._next, self._resting_until)

    def answered(self) -> None:
        """Let the rate recover: the host answered well."""
        self._rate = min(self._rate * RECOVERY, self._full_rate)
