"""One keep-alive HTTP client for all URLs: retries, redirects, deadlines and bounded bodies."""

import asyncio
import random
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import aiohttp

from webemo_curate import __version__
from webemo_curate.config import FetchConfig
from webemo_curate.download.addresses import checked, is_private, mirrored
from webemo_curate.download.limiter import HostLimiter
from webemo_curate.download.outcome import RETRIED, AttemptError, Body, Outcome, status_of
from webemo_curate.download.robots import MAX_ROBOTS_BYTES, forbids_ai, rules
from webemo_curate.imaging import DecodeError, open_checked, sniff_suffix
from webemo_curate.schemas import DecodeStatus, FetchStatus
from webemo_curate.workspace import Workspace

AGENT = "webemo-curate"
BACKOFF_SECONDS = 0.5
"""Mean wait before the second attempt; doubled for each further one."""

CHUNK_BYTES = 65_536
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_HEADER_BYTES = 16_384


class Downloader:
    """Downloads URLs into a workspace.

    Parameters
    ----------
    config : FetchConfig
        Politeness, bounds and the mirror.
    workspace : Workspace
        Stores the images.
    session : aiohttp.ClientSession
        From `open_session`.
    """

    def __init__(
        self, config: FetchConfig, workspace: Workspace, session: aiohttp.ClientSession
    ) -> None:
        self._config = config
        self._workspace = workspace
        self._session = session
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
            host = self._host(target)
            async with host.slots:
                body, attempts = await self._within_deadline(target, host)
            return await self._accept(url, body, attempts, started)
        except AttemptError as error:
            return Outcome(
                url,
                error.status,
                error.http_status,
                str(error) or None,
                getattr(error, "attempts", 0),
                started,
                datetime.now(UTC),
            )

    async def _within_deadline(self, url: str, host: HostLimiter) -> tuple[Body, int]:
        deadline = time.monotonic() + self._config.timeout
        attempt = 0
        while True:
            attempt += 1
            try:
                await host.turn()
                return await self._attempt(url, host, deadline), attempt
            except AttemptError as error:
                error.attempts = attempt  # type: ignore[attr-defined]
                wait = max(error.retry_after, _backoff(attempt))
                spent = attempt > self._config.retries or time.monotonic() + wait > deadline
                if error.status not in RETRIED or spent:
                    raise
            await asyncio.sleep(wait)

    async def _attempt(self, url: str, host: HostLimiter, deadline: float) -> Body:
        """Make one request, following redirects, within what is left of the deadline."""
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                body = await self._follow(url)
        except TimeoutError as error:
            raise AttemptError(FetchStatus.TIMEOUT, "deadline passed") from error
        except (aiohttp.ClientPayloadError, asyncio.IncompleteReadError) as error:
            raise AttemptError(FetchStatus.TRUNCATED, "body ended early") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise AttemptError(FetchStatus.CONNECTION, type(error).__name__) from error
        except AttemptError as error:
            if error.status is FetchStatus.THROTTLED:
                host.throttled(error.retry_after)
            raise
        host.answered()
        return body

    async def _follow(self, url: str) -> Body:
        first = urlsplit(url).hostname or ""
        for _ in range(self._config.max_redirects + 1):
            await self._check_robots(url)
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status not in REDIRECTS:
                    return await self._body(url, response)
                url = urljoin(url, response.headers.get("Location", ""))
            await self._check_redirect(first, url)
        raise AttemptError(FetchStatus.BAD_URL, "too many redirects")

    async def _body(self, url: str, response: aiohttp.ClientResponse) -> Body:
        if response.status != 200:
            wait = retry_after(response.headers.get("Retry-After"))
            status = status_of(response.status)
            raise AttemptError(status, f"HTTP {response.status}", response.status, wait)
        tags = response.headers.getall("X-Robots-Tag", [])
        if not self._config.ignore_robots and forbids_ai(tags):
            raise AttemptError(FetchStatus.ROBOTS, "X-Robots-Tag", response.status)
        content = await _read(response, self._config.max_bytes)
        return Body(content, response.status, response.headers.get("Content-Type"), url)

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
        # Shielded: one URL's deadline must not take the file from all the others.
        parser = await asyncio.shield(self._robots[site])
        if not parser.can_fetch(AGENT, url):
            raise AttemptError(FetchStatus.ROBOTS, "robots.txt")

    async def _read_robots(self, site: str) -> RobotFileParser:
        try:
            async with (
                asyncio.timeout(self._config.timeout),
                self._session.get(f"{site}/robots.txt") as response,
            ):
                if response.status != 200:
                    return rules(None)
                return rules(await response.content.read(MAX_ROBOTS_BYTES))
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            return rules(None)  # an unreachable host will show it by its images

    def _host(self, url: str) -> HostLimiter:
        name = urlsplit(url).netloc
        if name not in self._hosts:
            self._hosts[name] = HostLimiter(self._config.rate, self._config.concurrency)
        return self._hosts[name]

    async def _accept(self, url: str, body: Body, attempts: int, started: datetime) -> Outcome:
        """Check the body as an image and store it; decoding and disk stay off the event loop."""
        status, reason, suffix = await asyncio.to_thread(
            judge, body.content, self._config.max_pixels
        )
        sha256 = None
        if status is FetchStatus.OK and suffix:
            sha256 = await asyncio.to_thread(self._workspace.store_image, body.content, suffix)
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
            suffix=suffix if sha256 else None,
        )


def open_session(config: FetchConfig) -> aiohttp.ClientSession:
    """Open the one client: keep-alive, no compression asked for, headers bounded.

    Parameters
    ----------
    config : FetchConfig
        Gives the contact for the User-Agent.

    Returns
    -------
    aiohttp.ClientSession
        To be used as an asynchronous context manager.
    """
    contact = f" (contact: {config.contact})" if config.contact else ""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
        headers={
            "User-Agent": f"{AGENT}/{__version__}{contact}",
            "Accept": "image/*",
            "Accept-Encoding": "identity",
        },
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),  # every attempt has a deadline of its own
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
    )


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
        File suffix by content.
    """
    suffix = sniff_suffix(content)
    if suffix is None:
        return FetchStatus.NOT_IMAGE, "no image by content", None
    try:
        open_checked(content, max_pixels).close()
    except DecodeError as error:
        too_large = error.status is DecodeStatus.TOO_LARGE
        return (FetchStatus.TOO_LARGE if too_large else FetchStatus.CORRUPT), str(error), suffix
    return FetchStatus.OK, None, suffix


def retry_after(value: str | None) -> float:
    """Read a Retry-After header (RFC 9110, 10.2.3): seconds, or a date.

    Parameters
    ----------
    value : str or None
        The header.

    Returns
    -------
    float
        Seconds to wait, at least 0; 0 if there is no header or it makes no sense.
    """
    if value is None:
        return 0.0
    if value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    parts, size = [], 0
    if (response.content_length or 0) > max_bytes:
        raise AttemptError(FetchStatus.TOO_LARGE, "body too long", response.status)
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        size += len(chunk)
        if size > max_bytes:
            raise AttemptError(FetchStatus.TOO_LARGE, "body too long", response.status)
        parts.append(chunk)
    return b"".join(parts)


def _backoff(attempt: int) -> float:
    """Full jitter: clients that failed together do not come back together."""
    return random.uniform(0, BACKOFF_SECONDS * 2**attempt)  # noqa: S311 - no secret
