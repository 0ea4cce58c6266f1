"""The state of one URL within a pass: its own time, its attempts and its last error."""

import random
from datetime import UTC, datetime

from webemo_curate.config import FetchConfig
from webemo_curate.download.outcome import RETRIED, AttemptError, FetchOutcome
from webemo_curate.download.steps import Step

BACKOFF_SECONDS = 0.5
"""Mean seconds before the second attempt; doubled for each further one."""


class Visit:
    """A URL on its way to an outcome in one pass.

    Its own time is the time of its requests and of the waits between them. Waiting for its host's
    turn does not count.

    Parameters
    ----------
    url : str
        As listed.
    earlier : FetchOutcome, optional
        Outcome of earlier passes.

    Attributes
    ----------
    attempts
        Attempts begun; following redirects belongs to the same attempt.
    spent
        Seconds of its own time used.
    error
        The failure that the URL ends with if nothing better comes.
    step
        The next request after a redirect; None to begin with the URL itself.
    """

    __slots__ = ("_started", "attempts", "earlier", "error", "spent", "step", "url")

    def __init__(self, url: str, earlier: FetchOutcome | None = None) -> None:
        self.url, self.earlier = url, earlier
        self.attempts = 0
        self.spent = 0.0
        self.error: AttemptError | None = None
        self.step: Step | None = None
        self._started: datetime | None = None

    def begin(self, config: FetchConfig) -> float:
        """Begin a request; return its time limit in seconds."""
        self.attempts += self.step is None
        self._started = self._started or datetime.now(UTC)
        return config.timeout - self.spent

    def led_on(self, step: Step, seconds: float) -> None:
        """Record a redirect, and the seconds that the request took."""
        self.step = step
        self.spent += seconds

    def failed(
        self, error: AttemptError, seconds: float, config: FetchConfig, draw: random.Random
    ) -> float | None:
        """Record a failed attempt.

        Parameters
        ----------
        error : AttemptError
            The failure. A timeout does not replace an earlier answer: it only means that too little
            of the URL's time was left, which says nothing about the host.
        seconds : float
            Seconds that the attempt took.
        config : FetchConfig
            Limits of attempts and time.
        draw : random.Random
            Randomizes the waits.

        Returns
        -------
        float or None
            Seconds to wait before the next attempt; None if this was the last one.
        """
        self.spent += seconds
        self.step = None
        if self.error is None or not error.is_silence:
            self.error = error
        if error.status not in RETRIED or self.attempts > config.retries:
            return None
        # Full jitter: clients that failed together should not return together.
        wait = max(error.retry_after or 0.0, draw.uniform(0, BACKOFF_SECONDS * 2**self.attempts))
        if self.spent + wait >= config.timeout:
            return None
        self.spent += wait
        return wait

    @property
    def started(self) -> datetime:
        """When the first request began; now if none has."""
        return self._started or datetime.now(UTC)

    def outcome(self, error: AttemptError | None = None) -> FetchOutcome:
        """Return the outcome of a URL that brought no body.

        Parameters
        ----------
        error : AttemptError, optional
            The failure, if it was not an attempt of this URL.
        """
        error = error or self.error
        if error is None:
            raise ValueError("nothing has failed")
        return FetchOutcome(
            url=self.url,
            status=error.status,
            http_status=error.http_status,
            error_class=str(error),
            attempts=self.attempts,
            started=self.started,
            finished=datetime.now(UTC),
        )
