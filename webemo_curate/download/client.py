"""One attempt at a URL: redirects, robots, deadline; and what is an image."""

import asyncio
import time
from datetime import UTC, datetime

from webemo_curate import __version__
from webemo_curate.config import FetchConfig
from webemo_curate.download.addresses import mirrored
from webemo_curate.download.answers import body_of
from webemo_curate.download.following import AGENT, Follower
from webemo_curate.download.outcome import Body, FetchOutcome
from webemo_curate.download.transport import Transport
from webemo_curate.errors import InputError
from webemo_curate.imaging import DecodeError, NotAnImageError, check_body
from webemo_curate.verdicts import DecodeStatus, FetchStatus
from webemo_curate.workspace import Workspace

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
    max_pixels : int
        Largest width times height of a picture that is accepted.
    """

    def __init__(
        self, config: FetchConfig, workspace: Workspace, transport: Transport, max_pixels: int
    ) -> None:
        self._config = config
        self._workspace = workspace
        self._max_pixels = max_pixels
        self._follower = Follower(config, transport)

    def target(self, url: str) -> str:
        """Return the URL that is asked for in place of a listed one; see `schedule.Asker`."""
        return mirrored(url, self._config.mirror)

    async def ask(self, target: str, seconds: float) -> Body:
        """Make one attempt, redirects followed.

        Parameters
        ----------
        target : str
            An http or https URL.
        seconds : float
            For all of it.

        Returns
        -------
        Body
            What came.

        Raises
        ------
        AttemptError
            If no complete body did.
        """
        deadline = time.monotonic() + seconds
        response = await self._follower.picture(target, deadline)
        return body_of(response, self._config.ignore_robots)

    async def accept(self, url: str, body: Body, attempts: int, started: datetime) -> FetchOutcome:
        """Check a body as an image and store it.

        Parameters
        ----------
        url : str
            As listed.
        body : Body
            What came.
        attempts : int
            How many it took.
        started : datetime
            When the first began.

        Returns
        -------
        FetchOutcome
            Never an exception, whatever the body; only a full disk raises `CurateError`.
        """
        if len(body.content) < LARGE_BYTES:
            return self._accept(url, body, attempts, started)
        return await asyncio.to_thread(self._accept, url, body, attempts, started)

    def _accept(self, url: str, body: Body, attempts: int, started: datetime) -> FetchOutcome:
        """Check the body as an image and store it."""
        status, reason, suffix = judge(body.content, self._max_pixels)
        sha256 = None
        if status is FetchStatus.OK and suffix:
            sha256 = self._workspace.store_image(body.content, suffix)
        return FetchOutcome(
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
    """Return the honest name under which requests are made, with the contact if one is given.

    Raises
    ------
    InputError
        If the contact cannot stand in a header.
    """
    if config.contact and not config.contact.isprintable():
        raise InputError(f"--contact {config.contact!r}: it must be one line; give an address")
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
        return FetchStatus.OK, None, check_body(content, max_pixels)
    except NotAnImageError as error:
        return FetchStatus.NOT_IMAGE, str(error), None
    except DecodeError as error:
        too_large = error.status is DecodeStatus.TOO_LARGE
        return (FetchStatus.TOO_LARGE if too_large else FetchStatus.CORRUPT), str(error), None
