"""From a URL to its outcome: politeness, retries, redirects, deadlines, what is an image."""

import asyncio
import random
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from webemo_curate import __version__
from webemo_curate.config import FetchConfig
from webemo_curate.download.addresses import checked, is_private, mirrored
from webemo_curate.download.limiter import HostLimiter
from webemo_curate.download.outcome import RETRIED, AttemptError, Body, Outcome, status_of
from webemo_curate.download.robots import MAX_ROBOTS_BYTES, forbids_ai, rules
from webemo_curate.download.transport import Response, Transport
from webemo_curate.imaging import DecodeError, check_body
from webemo_curate.schemas import DecodeStatus, FetchStatus
from webemo_curate.workspace import Workspace

AGENT = "webemo-curate"
BACKOFF_SECONDS = 0.5
"""Mean wait before the second attempt; doubled for each further one."""

LARGE_BYTES = 256 * 1024
"""A smaller body is decoded and stored on the event loop: a thread's way to the interpreter lock
costs more than the work (half a millisecond for a thumbnail)."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Downloader:
    """Downloads URLs into a workspace.

    Parameters
    ----------
    config : FetchConfig
        Politeness, bounds and the mirror.
    workspace : Workspace
        Stores the images.
    transport : Transport
        Makes the requests.
    """

    def __init__(self, config: FetchConfig, workspace: Workspace, transport: Transport) -> None:
        self._config = config
        self._workspace = workspace
        self._transport = transport
        self._hosts: dict[str, HostLimiter] = {}
        self._robots: dict[str, asyncio.Task[RobotFileParser]] = {}
        self._private: dict[str, bool] = {}

    async def fetch(self, url: str) -> Outcome:
        """Bring one URL to its outcome.

        Parameters
        ----------
        url : str
            As listed.

        Returns
        -------
        Outcome
            Never an exception, whatever the server does; only a full disk raises `CurateError`.
        """
        started = datetime.now(UTC)
        try:
            target = mirrored(url, self._config.mirror)
            body, attempts = await self._within_deadline(target, self._host(target))
        except AttemptError as error:
            ended = datetime.now(UTC)
            return Outcome(
                url, error.status, error.http_status, str(error), error.attempts, started, ended
            )
        if len(body.content) < LARGE_BYTES:
            return self._accept(url, body, attempts, started)
        return await asyncio.to_thread(self._accept, url, body, attempts, started)

    async def _within_deadline(self, url: str, host: HostLimiter) -> tuple[Body, int]:
        """Try until it works, cannot work or the deadline passes, which runs from the first try."""
        deadline, attempt = None, 0
        while True:
            attempt += 1
            try:
                async with host.slots:
                    await host.turn()
                    deadline = deadline or time.monotonic() + self._config.timeout
                    return await self._attempt(url, host, deadline), attempt
            except AttemptError as error:
                error.attempts = attempt
                wait = max(error.retry_after or 0.0, _backoff(attempt))
                late = deadline is not None and time.monotonic() + wait > deadline
                if error.status not in RETRIED or attempt > self._config.retries or late:
                    raise
            await asyncio.sleep(wait)

    async def _attempt(self, url: str, host: HostLimiter, deadline: float) -> Body:
        """Make one request, following redirects, within what is left of the deadline."""
        try:
            body = self._body(await self._follow(url, deadline, self._config.max_bytes))
        except AttemptError as error:
            if error.status is FetchStatus.THROTTLED:
                host.throttled(error.retry_after)
            raise
        host.answered()
        return body

    async def _follow(
        self, url: str, deadline: float, limit: int, heed_robots: bool = True
    ) -> Response:
        first = urlsplit(url).hostname or ""
        for _ in range(self._config.max_redirects + 1):
            if heed_robots:
                await self._check_robots(url)
            left = deadline - time.monotonic()
            if left <= 0:
                raise AttemptError(FetchStatus.TIMEOUT, "deadline passed")
            response = await self._transport.get(url, left, limit)
            if response.status not in REDIRECTS:
                return response
            url = _joined(url, response.header("location"))
            await self._check_redirect(first, url)
        raise AttemptError(FetchStatus.BAD_URL, "too many redirects")

    def _body(self, response: Response) -> Body:
        if response.status != 200:
            wait = retry_after(response.header("retry-after"))
            status = status_of(response.status)
            raise AttemptError(status, f"HTTP {response.status}", response.status, wait)
        tags = response.headers("x-robots-tag")
        if not self._config.ignore_robots and forbids_ai(tags):
            raise AttemptError(FetchStatus.ROBOTS, "X-Robots-Tag", response.status)
        if not response.complete:
            raise AttemptError(FetchStatus.TOO_LARGE, "body too long", response.status)
        content_type = response.header("content-type")
        return Body(response.content, response.status, content_type, response.url)

    async def _check_redirect(self, first: str, url: str) -> None:
        """Refuse a way from a public host to a private address."""
        host = checked(url).hostname or ""
        if self._config.allow_private or host == first or await self._is_private(first):
            return
        if await self._is_private(host):
            raise AttemptError(FetchStatus.BAD_URL, "redirect to a private address")

    async def _is_private(self, host: str) -> bool:
        if host not in self._private:
            self._private[host] = await asyncio.to_thread(is_private, host)
        return self._private[host]

    async def _check_robots(self, url: str) -> None:
        if self._config.ignore_robots:
            return
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        if site not in self._robots:
            self._robots[site] = asyncio.create_task(self._read_robots(site))
        parser = await asyncio.shield(self._robots[site])
        if not parser.can_fetch(AGENT, url):
            raise AttemptError(FetchStatus.ROBOTS, "robots.txt")

    async def _read_robots(self, site: str) -> RobotFileParser:
        deadline = time.monotonic() + self._config.timeout
        try:
            response = await self._follow(
                f"{site}/robots.txt", deadline, MAX_ROBOTS_BYTES, heed_robots=False
            )
        except AttemptError:
            return rules(None)  # an unreachable host will show it by its images
        return rules(response.content if response.status == 200 else None)

    def _host(self, url: str) -> HostLimiter:
        name = urlsplit(url).netloc
        if name not in self._hosts:
            self._hosts[name] = HostLimiter(self._config.rate, self._config.concurrency)
        return self._hosts[name]

    def _accept(self, url: str, body: Body, attempts: int, started: datetime) -> Outcome:
        """Check the body as an image and store it."""
        status, reason, suffix = judge(body.content, self._config.max_pixels)
        sha256 = None
        if status is FetchStatus.OK and suffix:
            sha256 = self._workspace.store_image(body.content, suffix)
        return Outcome(
            url=url,
            status=status,
            http_status=body.http_status,
            error_class=reason,
            attempts=attempts,
            started=started,
            finished=datetime.now(UTC),
            bytes=len(body.content),
            content_type=body.content_type,
            final_url=None if self._config.mirror else body.final_url,
            sha256=sha256,
            suffix=suffix,
        )


def user_agent(config: FetchConfig) -> str:
    """Return the honest name under which requests are made, with the contact if one is given."""
    contact = f" (contact: {config.contact})" if config.contact else ""
    return f"{AGENT}/{__version__}{contact}"


def judge(content: bytes, max_pixels: int) -> tuple[FetchStatus, str | None, str | None]:
    """Tell whether a body is an image that decodes to its last row.

    Parameters
    ----------
    content : bytes
        The body.
    max_pixels : int
        Largest width times height accepted.

    Returns
    -------
    status : FetchStatus
        `ok`, `not_image`, `corrupt` or `too_large`.
    reason : str or None
        What is wrong.
    suffix : str or None
        File suffix by content, if the status is `ok`.
    """
    try:
        suffix = check_body(content, max_pixels)
    except DecodeError as error:
        too_large = error.status is DecodeStatus.TOO_LARGE
        return (FetchStatus.TOO_LARGE if too_large else FetchStatus.CORRUPT), str(error), None
    if suffix is None:
        return FetchStatus.NOT_IMAGE, "no image by content", None
    return FetchStatus.OK, None, suffix


def retry_after(value: str | None) -> float | None:
    """Read a Retry-After header (RFC 9110, 10.2.3): seconds, or a date.

    Parameters
    ----------
    value : str or None
        The header.

    Returns
    -------
    float or None
        Seconds to wait, at least 0; None if there is no header or it makes no sense.
    """
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _joined(url: str, location: str | None) -> str:
    try:
        return urljoin(url, location or "")
    except ValueError as error:
        raise AttemptError(FetchStatus.BAD_URL, "redirect to no URL") from error


def _backoff(attempt: int) -> float:
    """Full jitter: clients that failed together do not come back together."""
    return random.uniform(0, BACKOFF_SECONDS * 2**attempt)  # noqa: S311 - no secret
