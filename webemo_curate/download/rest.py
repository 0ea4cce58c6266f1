"""Rest for one host that does not answer, or that asks for a pause by `Retry-After`."""

from collections import deque

DOWN_AFTER = 8
"""Failures in a row after which a host counts as down; equal to its default number of slots."""

FIRST_REST = 1.0
MAX_REST = 60.0
"""Seconds before the next request to a host that is down: the first rest, doubled with each
failure, and the longest."""

PAUSE_SHARE = 0.2
"""How long to wait before the next pass for a host whose last answers were failures, as a share of
the patience and at most `MAX_REST`. The attempts for a few URLs take only seconds; without this
wait, all passes would fall into the same outage."""

RECENT_ANSWERS = 8
MIN_ANSWERS = 4
"""`Retry-After` holds the whole host if most of its last answers, and at least this many, carry one
that has not expired."""

RETRY_AFTER = "Retry-After"
FAILED_LAST = "its last answers were failures"


class Rest:
    """Tells when one host must not be asked.

    Parameters
    ----------
    patience : float
        Seconds without a good answer after which a host that is down is given up.

    Attributes
    ----------
    until
        Time from which the host may be asked again.
    reason
        Short reason for the rest.
    """

    __slots__ = (
        "_asked",
        "_began",
        "_failing_since",
        "_in_row",
        "_last_failed",
        "_patience",
        "_wait",
        "reason",
        "until",
    )

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self.until = self._began = -float("inf")
        self.reason = ""
        self._in_row = 0
        self._last_failed = -float("inf")
        self._failing_since: float | None = None
        self._wait = FIRST_REST
        self._asked: deque[float] = deque(maxlen=RECENT_ANSWERS)

    @property
    def is_down(self) -> bool:
        """Whether the last answers were all failures."""
        return self._in_row >= DOWN_AFTER

    @property
    def is_silent(self) -> bool:
        """Whether the last answer was not a good one."""
        return self._failing_since is not None

    def answered(self) -> None:
        """Record a good answer."""
        self._in_row, self._failing_since, self._wait = 0, None, FIRST_REST
        self._asked.append(0.0)

    def failed(self, now: float, began: float, reason: str, retry_after: float | None) -> None:
        """Record a failure or a refusal.

        Parameters
        ----------
        now : float
            The present time.
        began : float
            When the request began; one from before the present rest does not prolong it.
        reason : str
            Short reason.
        retry_after : float, optional
            Seconds that the host asked to wait.
        """
        self._in_row += 1
        self._last_failed = now
        if self._failing_since is None:
            self._failing_since = now
        self._asked.append(now + retry_after if retry_after else 0.0)
        if self.is_down and began >= self._began:
            self._hold(now, now + self._wait, reason)
            self._wait = min(2 * self._wait, MAX_REST)
        held = sorted(moment for moment in self._asked if moment > now)
        if len(self._asked) >= MIN_ANSWERS and 2 * len(held) > len(self._asked):
            self._hold(now, held[len(held) // 2], RETRY_AFTER)

    def is_hopeless(self, now: float) -> bool:
        """Return whether to give the host up: it is down, or asks to wait, for too long."""
        if self.reason == RETRY_AFTER and self.until - now > self._patience:
            return True
        since = now if self._failing_since is None else self._failing_since
        return self.is_down and now - since >= self._patience

    def renew(self, now: float) -> None:
        """Reset the patience at the start of another pass; a `Retry-After` still holds."""
        self._wait = FIRST_REST
        if self._failing_since is not None:
            self._failing_since = now
            pause = min(MAX_REST, PAUSE_SHARE * self._patience)
            self._hold(now, self._last_failed + pause, self.reason or FAILED_LAST)

    def _hold(self, now: float, until: float, reason: str) -> None:
        if until > self.until:
            self._began, self.until, self.reason = now, until, reason
