"""Turn an HTTP response into a body to examine, or into a failure with its reason."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from webemo_curate.download.outcome import AttemptError, Body, status_of
from webemo_curate.download.response import SUCCESS, Response
from webemo_curate.download.robots import forbids_ai
from webemo_curate.verdicts import FetchStatus


def body_of(response: Response, ignore_robots: bool) -> Body:
    """Return the body of a successful response.

    Parameters
    ----------
    response : Response
        The last response for a URL.
    ignore_robots : bool
        Whether to ignore X-Robots-Tag.

    Returns
    -------
    Body
        The complete body with its content coding undone; not yet examined.

    Raises
    ------
    AttemptError
        If the server refused, X-Robots-Tag keeps the picture out of data sets, or the body is
        incomplete.
    """
    code = response.status
    if code not in SUCCESS:
        raise refusal(response)
    if not ignore_robots and forbids_ai(response.headers("x-robots-tag")):
        raise AttemptError(FetchStatus.ROBOTS, "X-Robots-Tag", code)
    if not response.complete:
        raise AttemptError(FetchStatus.TOO_LARGE, "body too long", code)
    if response.partial:
        raise AttemptError(FetchStatus.TRUNCATED, "HTTP 206: a part of it, not asked for", code)
    return Body(response.content, code, response.header("content-type"), response.url)


def refusal(response: Response) -> AttemptError:
    """Return the failure that an HTTP status without a picture stands for."""
    code = response.status
    status = FetchStatus.NOT_IMAGE if code < 400 else status_of(code)
    wait = retry_after(response.header("retry-after"))
    return AttemptError(status, f"HTTP {code}", code, wait)


def retry_after(value: str | None) -> float | None:
    """Read a Retry-After header (RFC 9110, 10.2.3): seconds, or a date.

    Parameters
    ----------
    value : str or None
        The header.

    Returns
    -------
    float or None
        Seconds to wait, at least 0; None if the header is missing or invalid.
    """
    if value is None:
        return None
    if value.isascii() and value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:  # in the form of asctime, which is UTC (RFC 9110, 5.6.7)
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
