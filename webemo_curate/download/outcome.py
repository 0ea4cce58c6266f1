"""The outcome of a URL's download, and the error of a failed attempt."""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from webemo_curate.download.room import Share
from webemo_curate.verdicts import FetchStatus

RETRIED = frozenset(
    {
        FetchStatus.THROTTLED,
        FetchStatus.SERVER_ERROR,
        FetchStatus.TIMEOUT,
        FetchStatus.CONNECTION,
        FetchStatus.TRUNCATED,
    }
)
"""Statuses that another attempt may mend; all others are final."""

SILENT = frozenset({FetchStatus.TIMEOUT, FetchStatus.CONNECTION})
"""Statuses of a URL from which no answer came."""

MAX_RETRY_AFTER = 366 * 24 * 3600.0
"""Seconds; a longer Retry-After is cut to this, so that no clock overflows."""

STATUS_BY_CODE = {
    404: FetchStatus.NOT_FOUND,
    408: FetchStatus.TIMEOUT,
    410: FetchStatus.GONE,
    425: FetchStatus.THROTTLED,
    429: FetchStatus.THROTTLED,
    503: FetchStatus.THROTTLED,
}


@dataclass(frozen=True, slots=True)
class FetchOutcome:
    """A row of the fetch manifest; the fields are its columns."""

    url: str
    status: FetchStatus
    http_status: int | None = None
    error_class: str | None = None
    attempts: int = 0
    started: datetime | None = None
    finished: datetime | None = None
    bytes: int | None = None
    content_type: str | None = None
    final_url: str | None = None
    sha256: str | None = None
    suffix: str | None = None

    def __reduce__(self) -> tuple[type["FetchOutcome"], tuple[Any, ...]]:
        """Pickle it in less than half of the time that a frozen class takes by itself."""
        return FetchOutcome, values_of(self)


COLUMNS = tuple(field.name for field in fields(FetchOutcome))
values_of = attrgetter(*COLUMNS)
"""Returns an outcome's values, in the order of `COLUMNS`."""


@dataclass(frozen=True)
class Body:
    """A complete body as the server sent it.

    Attributes
    ----------
    content
        The bytes.
    http_status
        Status code of the response.
    content_type
        As the server stated it.
    final_url
        URL after all redirects.
    share
        Bytes that the body holds of the shared room until it is accepted; None if uncounted.
    """

    content: bytes
    http_status: int
    content_type: str | None
    final_url: str
    share: Share | None = None


class AttemptError(Exception):
    """An attempt that brought no body.

    Parameters
    ----------
    status : FetchStatus
        The URL's status if this is its last attempt.
    reason : str
        A short reason.
    http_status : int, optional
        Status code, if there was a response.
    retry_after : float, optional
        Seconds that the server asked to wait.
    """

    def __init__(
        self,
        status: FetchStatus,
        reason: str,
        http_status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.http_status = http_status
        self.retry_after = None if retry_after is None else min(retry_after, MAX_RETRY_AFTER)

    @property
    def is_silence(self) -> bool:
        """Whether no answer had come in time; of little time this says nothing about the host."""
        return self.status is FetchStatus.TIMEOUT and self.http_status is None

    def __reduce__(self) -> tuple[type["AttemptError"], tuple[Any, ...]]:
        """Pickle all that was given, not the message alone, for other processes."""
        return AttemptError, (self.status, str(self), self.http_status, self.retry_after)


def better(earlier: FetchOutcome | None, later: FetchOutcome) -> FetchOutcome:
    """Merge the outcomes of two passes: the later one, unless only the earlier got an answer.

    Parameters
    ----------
    earlier : FetchOutcome, optional
        Outcome of the earlier passes.
    later : FetchOutcome
        Outcome of the last pass.

    Returns
    -------
    FetchOutcome
        With the attempts of both passes and the start of the first.
    """
    if earlier is None:
        return later
    silent = later.status in SILENT and later.http_status is None
    last = earlier if silent and earlier.status not in SILENT else later
    return replace(
        last,
        attempts=earlier.attempts + later.attempts,
        started=earlier.started,
        finished=later.finished,
    )


def status_of(code: int) -> FetchStatus:
    """Return the status that an HTTP code other than 200 or a redirect stands for."""
    if code in STATUS_BY_CODE:
        return STATUS_BY_CODE[code]
    return FetchStatus.SERVER_ERROR if code >= 500 else FetchStatus.FORBIDDEN
