"""The outcome of a URL's download, and the ways in which an attempt can fail."""

from dataclasses import dataclass, replace
from datetime import datetime

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
"""What another attempt may mend; everything else is final at once."""

SILENT = frozenset({FetchStatus.TIMEOUT, FetchStatus.CONNECTION})
"""What a URL ends as that nothing answered."""

LONGEST_RETRY_AFTER = 366 * 24 * 3600.0
"""Seconds; what a server asks for beyond means as much, and no clock overflows."""

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


@dataclass(frozen=True)
class Body:
    """A complete body as served.

    Attributes
    ----------
    content
        The bytes.
    http_status
        Status code of the answer.
    content_type
        As the server gave it.
    final_url
        Where redirects ended.
    share
        What it holds of the room for bodies, until it has been accepted; None if nobody counts.
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
        What it would end as if it were the last.
    reason : str
        In a word or two.
    http_status : int, optional
        Status code, if there was an answer.
    retry_after : float, optional
        Seconds the server asked to wait.
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
        self.retry_after = None if retry_after is None else min(retry_after, LONGEST_RETRY_AFTER)


def better(earlier: FetchOutcome | None, later: FetchOutcome) -> FetchOutcome:
    """Return what two passes over a URL come to: the later, unless only the earlier was answered.

    Parameters
    ----------
    earlier : FetchOutcome, optional
        Of the passes before.
    later : FetchOutcome
        Of the last pass.

    Returns
    -------
    FetchOutcome
        With the attempts of both, and the time when the first began.
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
    """Return the status an HTTP code other than 200 or a redirect stands for."""
    if code in STATUS_BY_CODE:
        return STATUS_BY_CODE[code]
    return FetchStatus.SERVER_ERROR if code >= 500 else FetchStatus.FORBIDDEN
