"""Limit the requests to one host: when the next may begin, and why the host is slowed down."""

from dataclasses import dataclass
from enum import Enum, auto

from webemo_curate.download.outcome import RETRIED, AttemptError
from webemo_curate.download.pace import Pace
from webemo_curate.download.rest import Rest
from webemo_curate.verdicts import FetchStatus

REFUSALS = frozenset({FetchStatus.THROTTLED, FetchStatus.CONNECTION})
"""Statuses by which a host refuses because it is asked too much."""

UNASKED = frozenset({FetchStatus.ROBOTS, FetchStatus.BAD_URL})
"""Statuses of an attempt that made no request, if it has no HTTP status."""


class Kind(Enum):
    """What an answer says about the host."""

    GOOD = auto()
    REFUSED = auto()
    FAILED = auto()
    NOTHING = auto()


@dataclass(frozen=True)
class Answer:
    """An attempt's result as far as it concerns the host; see `answer_of`.

    Attributes
    ----------
    kind
        Kind of answer.
    reason
        Short reason.
    retry_after
        Seconds that the host asked to wait (`Retry-After`).
    """

    kind: Kind
    reason: str = ""
    retry_after: float | None = None


GOOD = Answer(Kind.GOOD)
NOTHING = Answer(Kind.NOTHING)


def answer_of(error: AttemptError) -> Answer:
    """Return what a failed attempt says about its host.

    Parameters
    ----------
    error : AttemptError
        The failure. A missing picture is a good answer: the host works.

    Returns
    -------
    Answer
        Refused, failed, good, or nothing if no request was made.
    """
    if error.status in UNASKED and error.http_status is None:
        return NOTHING
    if error.status not in RETRIED:
        return GOOD
    kind = Kind.REFUSED if error.status in REFUSALS else Kind.FAILED
    return Answer(kind, str(error), error.retry_after)


class HostLimiter:
    """Decides when one host may be asked. It has no clock: callers pass the time.

    Parameters
    ----------
    rate : float
        Most requests a second.
    concurrency : int
        Most requests under way at once.
    patience : float
        Seconds without a good answer after which a host that is down is given up.
    now : float
        The time in seconds, on any monotonic clock.

    Attributes
    ----------
    under_way
        Number of URLs and errands that have begun and not ended. An errand is a request that a URL
        of another host needs, such as robots.txt at the end of a redirect.
    errands
        How many of them are errands.
    lent
        How many of them wait for another request and make none themselves.
    """

    __slots__ = ("_concurrency", "_pace", "_rate", "_rest", "errands", "lent", "under_way")

    def __init__(self, rate: float, concurrency: int, patience: float, now: float) -> None:
        self._rate, self._concurrency = rate, concurrency
        self._pace, self._rest = Pace(rate, now), Rest(patience)
        self.under_way = self.errands = self.lent = 0

    @property
    def is_down(self) -> bool:
        """Whether the host is down; it is then asked one request at a time."""
        return self._rest.is_down

    def is_well(self, now: float) -> bool:
        """Return whether the host is at full rate and not resting."""
        return self._pace.is_full and not self._rest.is_silent and self._rest.until <= now

    def ready_at(self) -> float:
        """Return when the next URL may begin; infinity while all slots are taken."""
        return float("inf") if self.under_way >= self._slots else self._rested_at()

    def errand_at(self) -> float:
        """Return when the next errand may begin; infinity while it finds no slot.

        One errand at a time may use a slot that is lent. Else hosts whose URLs wait for errands at
        each other would wait for ever.
        """
        busy = self.under_way - (0 if self.errands else self.lent)
        return float("inf") if busy >= self._slots else self._rested_at()

    @property
    def _slots(self) -> int:
        return 1 if self._rest.is_down else self._concurrency

    def _rested_at(self) -> float:
        return max(self._pace.next_at, self._rest.until)

    def begin(self, now: float) -> None:
        """Record that a request begins."""
        self.under_way += 1
        self._pace.take(now)

    def begin_errand(self, now: float) -> None:
        """Record that an errand begins."""
        self.errands += 1
        self.begin(now)

    def count(self, now: float) -> None:
        """Record a request besides the one whose turn it is; it delays the next turn."""
        self._pace.take(now)

    def end_errand(self, now: float, began: float, answer: Answer) -> None:
        """Record that an errand has ended; see `end`."""
        self.errands -= 1
        self.end(now, began, answer)

    def end(self, now: float, began: float, answer: Answer) -> None:
        """Record that a request has ended.

        Parameters
        ----------
        now : float
            The present time.
        began : float
            When the request began.
        answer : Answer
            What it says about the host; if that is nothing, the turn is given back in time.
        """
        self.under_way -= 1
        if answer.kind is Kind.NOTHING:
            self._pace.give_back(now, began)
            return
        if answer.kind is not Kind.FAILED and not self._rest.is_down:
            self._pace.heard(now, began, refused=answer.kind is Kind.REFUSED)
        if answer.kind is Kind.GOOD:
            self._rest.answered()
        else:
            until = max(now, self._rest.until)
            self._rest.failed(now, began, answer.reason, answer.retry_after)
            if self._rest.until > until:
                self._pace.interrupted()

    def is_hopeless(self, now: float) -> bool:
        """Return whether to give the host up for this pass."""
        return self._rest.is_hopeless(now)

    def renew(self, now: float) -> None:
        """Reset the patience at the start of another pass."""
        self._rest.renew(now)

    def rest(self, now: float) -> tuple[float, str]:
        """Return the seconds that the host still rests, and the reason."""
        return max(0.0, self._rest.until - now), self._rest.reason

    def trouble(self, now: float) -> str | None:
        """Say why the host is slow; return None if it is not."""
        left, reason = self.rest(now)
        if left > 0:
            return f"rests {left:.0f} s: {reason}"
        if self._rest.is_down:
            return f"is asked whether it is back: {self._rest.reason}"
        if self._pace.is_full:
            return None
        return f"{self._pace.rate:.2g}/s of {self._rate:g}, refuses {self._pace.share:.0%}"
