"""From a URL to its outcome: politeness, retries, redirects, deadlines, what is an image."""

import asyncio
import random
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

from webemo_curate import __version__
from webemo_curate.config import FetchConfig
from webemo_curate.download.addresses import mirrored
from webemo_curate.download.answers import body_of
from webemo_curate.download.following import AGENT, Follower
from webemo_curate.download.limiter import HostLimiter
from webemo_curate.download.outcome import RETRIED, AttemptError, Body, Outcome
from webemo_curate.download.transport import Transport
from webemo_curate.imaging import DecodeError, check_body
from webemo_curate.schemas import DecodeStatus, FetchStatus
from webemo_curate.workspace import Workspace

BACKOFF_SECONDS = 0.5
"""Mean wait before the second attempt; doubled for each further one."""

LARGE_BYTES = 256 * 1024
"""A smaller body is decoded and stored on the event loop: a thread's way to the interpreter lock
costs more than the work (half a millisecond for a thumbnail)."""


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
        self._follower = Follower(config, transport)
        self._hosts: dict[str, HostLimiter] = {}

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
            body = body_of(await self._follower.picture(url, deadline), self._config.ignore_robots)
        except AttemptError as error:
            if error.status is FetchStatus.THROTTLED:
                host.throttled(error.retry_after)
            raise
        host.answered()
        return body

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


def _backoff(attempt: int) -> float:
    """Full jitter: clients that failed together do not come back together."""
    return random.uniform(0, BACKOFF_SECONDS * 2**attempt)  # noqa: S311 - no secret
