"""One URL's way to its outcome: its own time, its attempts, and what its last answer was."""

import random
from datetime import UTC, datetime

from webemo_curate.config import FetchConfig
from webemo_curate.download.outcome import RETRIED, AttemptError, FetchOutcome
from webemo_curate.download.steps import Step
from webemo_curate.verdicts import FetchStatus

BACKOFF_SECONDS = 0.5
"""Mean wait before the second attempt; doubled for each further one."""


class Visit:
    """A URL that is being brought to its outcome in one pass.

    Its own time is what its requests take and what it waits between them. What it waits for its
    host's turn is not.

    Parameters
    ----------
    url : str
        As listed.

    Attributes
    ----------
    attempts
        Begun; the redirects of one are followed within it.
    spent
        Seconds of its own time.
    error
        What it ends as if nothing better comes.
    step
        The request to which redirects have led; None to begin with the URL itself.
    """

    __slots__ = ("_started", "attempts", "error", "spent", "step", "url")

    def __init__(self, url: str) -> None:
        self.url = url
        self.attempts = 0
        self.spent = 0.0
        self.error: AttemptError | None = None
        self.step: Step | None = None
        self._started: datetime | None = None

    def begin(self, config: FetchConfig) -> float:
        """Begin a request; return the seconds it may take."""
        self.attempts += self.step is None
        self._started = self._started or datetime.now(UTC)
        return config.timeout - self.spent

    def led_on(self, step: Step, seconds: float) -> None:
        """Note where a redirect leads, and what the request took."""
        self.step = step
        self.spent += seconds

    def failed(
        self, error: AttemptError, seconds: float, config: FetchConfig, draw: random.Random
    ) -> float | None:
        """Note how an attempt failed.

        Parameters
        ----------
        error : AttemptError
            How. A timeout does not stand against an answer that came before: what was left of
            the URL's time was not enough, which says nothing of the host.
        seconds : float
            What the attempt took.
        config : FetchConfig
            Bounds of attempts and time.
        draw : random.Random
            Spreads the waits.

        Returns
        -------
        float or None
            Seconds to wait before the next attempt; None if this was the last one.
        """
        self.spent += seconds
        self.step = None
        silent = error.status is FetchStatus.TIMEOUT and error.http_status is None
        if self.error is None or not silent:
            self.error = error
        if error.status not in RETRIED or self.attempts > config.retries:
            return None
        # Full jitter: clients that failed together do not come back together.
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
            Why, where it was not an attempt that failed.
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
