"""The pace of one host: refusals slow it down; good answers and time bring it back.

Refusals are judged by their share of a window of answers, so that a host which refuses a few
requests whatever the rate is not taken for one that is asked too much. One that is asked too much
gets a little less than it last bore: that finds the rate of a host that meters in a few windows.
From there the rate creeps up, by steps that grow, until refusals are notable again. Where falls
leave the share of refusals as it was, though the host accepts less for them, refusals do not come
of the rate: it is restored, and that share is borne from then on.
"""

import math

WINDOW_ANSWERS = 100
WINDOW_SECONDS = 10.0
"""A window ends with the first of the two: a slow host's rate rises with time."""

NOTABLE_SHARE = 0.08
"""What slows a host down. At 3 % refused by chance, one window in 300 holds so many."""

MARGIN = 0.9
"""Share of the rate last borne that is asked for after a fall."""

STEP = 0.01
"""Growth with the first window without notable refusals; the next brings twice it, and so on."""

SLOWEST_RATE = 0.1
"""Requests a second that are asked for whatever is refused (unless the user's rate is lower)."""

SAME_SHARE = 0.5
USELESS_FALLS = 2
"""Falls, each leaving this much or more of the share refused, that prove that falling is no use."""

HELPED_SHARE = 0.25
"""A fall that leaves less than this of the share refused proves that it is of use."""

BORNE_LEFT = 0.99
"""What is left, after each window without a fall, of the share that is borne."""

BURST_SECONDS = 0.2
"""Turns missed in so long may be made up for: a busy machine wakes up late."""


class Pace:
    """The rate of requests to one host. Times are seconds of any clock that does not go back.

    Parameters
    ----------
    rate : float
        Requests a second at most.
    now : float
        The time.

    Attributes
    ----------
    rate
        Requests a second at present.
    share
        Share of the requests that was refused when the rate last fell.
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
        """Whether the host is asked at the user's rate."""
        return self.rate >= self._full

    def take(self, now: float) -> None:
        """Take the turn that is due."""
        missed = max(1 / self.rate, BURST_SECONDS)
        self.next_at = max(self.next_at, now - missed) + 1 / self.rate

    def give_back(self) -> None:
        """Undo `take`: no request was made."""
        self.next_at -= 1 / self.rate

    def interrupted(self) -> None:
        """Note that the host rests: what comes next says nothing of the last fall's use."""
        self._unweighed = False
        self._useless = 0

    def heard(self, now: float, began: float, *, refused: bool) -> None:
        """Take an answer into account.

        Parameters
        ----------
        now : float
            The time.
        began : float
            When its request began. Those that began before the rate last fell say nothing of
            the present one: they are one complaint with those that made it fall.
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
        """Return the share from which refusals are notable: above chance, and what is borne."""
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
        """Compare the first window after a fall with what it would be if the host meters."""
        if self._unweighed and self._expected <= share / 2:
            if share < self.share * HELPED_SHARE:
                self._useless = 0
            elif share < self.share * SAME_SHARE:
                self._useless = max(0, self._useless - 1)
            elif share <= self.share / SAME_SHARE:  # more is a bucket that has run dry
                self._useless += 1
        self._unweighed = False

    def _slow_down(self, share: float) -> None:
        """Ask for a little less than the host bore: just now, or before its refusals began."""
        asked = self._asked()
        accepted = asked * (1 - share)
        borne = max(accepted, 0.0 if self._falls else self._good)
        slowest = min(SLOWEST_RATE, self._full)
        if self.rate <= slowest:
            self._borne = share  # from here the rate may but rise
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
        """Return the rate at which this window's requests began: slots may allow less."""
        span = self._last - self._first
        return min(self.rate, (self._answers - 1) / span) if span > 0 else self.rate

    def _open(self, now: float) -> None:
        self._opened = now
        self._answers = self._refusals = 0
        self._first, self._last = math.inf, -math.inf
