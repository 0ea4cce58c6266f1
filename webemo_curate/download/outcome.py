"""How the download of one URL ended, and how an attempt can fail."""

from dataclasses import dataclass
from datetime import datetime

from webemo_curate.schemas import FetchStatus

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

STATUS_BY_CODE = {
    404: FetchStatus.NOT_FOUND,
    410: FetchStatus.GONE,
    429: FetchStatus.THROTTLED,
    503: FetchStatus.THROTTLED,
}


@dataclass(frozen=True, slots=True)
class Outcome:
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
    """

    content: bytes
    http_status: int
    content_type: str | None
    final_url: str


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
        self.retry_after = retry_after
        self.attempts = 0


def status_of(code: int) -> FetchStatus:
    """Return the status an HTTP code other than 200 or a redirect stands for."""
    if code in STATUS_BY_CODE:
        return STATUS_BY_CODE[code]
    return FetchStatus.SERVER_ERROR if code >= 500 else FetchStatus.FORBIDDEN
