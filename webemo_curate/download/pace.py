"""The request rate of one host: refusals lower it; good answers and time restore it.

Refusals are judged by their share in a window of answers, so that a host which refuses a few
requests at any rate is not treated as overloaded. For an overloaded host, the rate falls to a
little below what the host last accepted; for a host with a fixed limit, this finds the limit within
a few windows. From there the rate rises in growing steps until refusals are notable again. If falls
do not lower the share of refusals, though the host accepts fewer requests, the rate is not their
cause. The rate is then restored and that share is tolerated from then on.
"""

import math

WINDOW_ANSWERS = 100
WINDOW_SECONDS = 10.0
"""A window ends at whichever limit comes first, so that a slow host's rate also rises with time."""

NOTABLE_SHARE = 0.08
"""Share of refusals that lowers the rate. At 3 % chance refusals, 1 window in 300 reaches it."""

MARGIN = 0.9
"""Rate after a fall, as a share of the rate that the host last accepted."""

STEP = 0.01
"""Growth of the rate after the first window without notable refusals; twice this after the second,
three times after the third, and so on."""

SLOWEST_RATE = 0.1
"""Lowest rate, in requests a second, however much is refused (unless the user's rate is lower)."""

SAME_SHARE = 0.5
USELESS_FALLS = 2
"""Falls have no effect if so many of them in a row leave at least this share of the refusals."""

HELPED_SHARE = 0.25
"""A fall has an effect if it leaves less than this share of the refusals."""

BORNE_LEFT = 0.99
"""Factor on the tolerated share after each window without a fall."""

BURST_SECONDS = 0.2
"""Turns missed within this time may be made up for, because a busy machine wakes up late."""


class Pace:
    """The request rate of one host. Times are in seconds on any monotonic clock.

    Parameters
    ----------
    rate : float
        Most requests a second.
    now : float
        The present time.

    Attributes
    ----------
    rate
        Present rate in requests a second.
    share
        Share of refused requests when the rate last fell.
    next_at
        When the next request may begin.
    """

    __slots__ = (
        "_answers",
        "_before",
        "_borne",
        "_changed",
        "_clean",
        "_expected",
        "_falls",
        "_first",
        "_full",
        "_good",
        "_last",
        "_opened",
        "_refusals",
        "_unweighed",
        "_useless",
        "next_at",
        "rate",
        "share",
    )

    def __init__(self, rate: float, now: float) -> None:
        self._full = self.rate = self._before = rate
        self.share = self._expected = self._good = self._borne = 0.0
        self._clean = self._falls = self._useless = 0
        self._unweighed = False
        self.next_at = self._changed = self._first = self._last = now
        self._open(now)

    @property
    def is_full(self) -> bool:
        """Whether the rate is the user's full rate."""
        return self.rate >= self._full

    def take(self, now: float) -> None:
        """Use the turn that is due."""
        missed = max(1 / self.rate, BURST_SECONDS)
        self.next_at = max(self.next_at, now - missed) + 1 / self.rate

    def give_back(self, now: float, taken: float) -> None:
        """Undo a `take`, because no request was made, unless its turn has passed meanwhile."""
        if now - taken < 1 / self.rate:
            self.next_at -= 1 / self.rate

    def interrupted(self) -> None:
        """Note that the host rests; what follows says nothing about the last fall's effect."""
        self._unweighed = False
        self._useless = 0

    def heard(self, now: float, began: float, *, refused: bool) -> None:
        """Record an answer.

        Parameters
        ----------
        now : float
            The present time.
        began : float
            When its request began. Requests from before the last fall are ignored: their refusals
            belong with those that caused the fall.
        refused : bool
            Whether the host refused.
        """
        if began < self._changed:
            return
        self._answers += 1
        self._refusals += refused
        self._first, self._last = min(self._first, began), max(self._last, began)
        notable = self._tolerated()
        if self._refusals >= math.ceil(notable * WINDOW_ANSWERS):
            self._fall(now)
        elif self._answers >= WINDOW_ANSWERS or (
            now - self._opened >= WINDOW_SECONDS and self._refusals < notable * self._answers
        ):
            self._rise(now)

    def _tolerated(self) -> float:
        """Return the share above which refusals are notable: chance, plus what is tolerated."""
        return max(NOTABLE_SHARE, min(0.9, 1.5 * self._borne + 0.03))

    def _fall(self, now: float) -> None:
        share = self._refusals / self._answers
        if not self._falls:
            self._before = self.rate
        self._weigh(share)
        if self._useless >= USELESS_FALLS:
            self.rate, self._borne, self._falls, self._useless = self._before, share, 0, 0
            self._unweighed = False
        else:
            self._slow_down(share)
            self.next_at = max(self.next_at, now + 1 / self.rate)
        self._clean, self._changed = 0, now
        self._open(now)

    def _weigh(self, share: float) -> None:
        """Compare the first window after a fall with what a host with a fixed limit refuses."""
        if self._unweighed and self._expected <= share / 2:
            if share < self.share * HELPED_SHARE:
                self._useless = 0
            elif share < self.share * SAME_SHARE:
                self._useless = max(0, self._useless - 1)
            elif share <= self.share / SAME_SHARE:  # beyond, its bucket has run dry
                self._useless += 1
        self._unweighed = False

    def _slow_down(self, share: float) -> None:
        """Lower the rate to a little below what the host accepted, now or before it refused."""
        asked = self._asked()
        accepted = asked * (1 - share)
        borne = max(accepted, 0.0 if self._falls else self._good)
        slowest = min(SLOWEST_RATE, self._full)
        if self.rate <= slowest:
            self._borne = share  # the slowest rate: from here the rate can only rise
        self.rate = max(self.rate / 2, MARGIN * borne, slowest)
        self._expected = max(0.0, 1 - accepted / self.rate)
        self._falls += 1
        self._unweighed = True
        self.share = share

    def _rise(self, now: float) -> None:
        share = self._refusals / self._answers
        self._weigh(share)
        if self._useless >= USELESS_FALLS:
            self._borne, self._useless = share, 0
        self._good = min(self.rate, self._asked())
        self._falls = 0
        self._clean += 1
        self.rate = min(self._full, self.rate * (1 + STEP * self._clean))
        self._borne *= BORNE_LEFT
        self._open(now)

    def _asked(self) -> float:
        """Return the rate at which this window's requests began; slots may keep it low."""
        span = self._last - self._first
        return min(self.rate, (self._answers - 1) / span) if span > 0 else self.rate

    def _open(self, now: float) -> None:
        self._opened = now
        self._answers = self._refusals = 0
        self._first, self._last = math.inf, -math.inf
