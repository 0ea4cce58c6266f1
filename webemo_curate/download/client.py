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
from webemo_curate.imaging import Examiner
from webemo_curate.workspace import Workspace

LARGE_BYTES = 256 * 1024
"""A smaller body is stored on the event loop: a thread's way to the interpreter lock costs more
than the work."""


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
    examiner : Examiner
        Says what a body is.
    """

    def __init__(
        self,
        config: FetchConfig,
        workspace: Workspace,
        transport: Transport,
        examiner: Examiner,
    ) -> None:
        self._config = config
        self._workspace = workspace
        self._examiner = examiner
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
            Never an exception, whatever the body; only what the machine lacks raises a
            `CurateError`.
        """
        finding = await self._examiner.examine(body.content)
        sha256 = None
        if finding.suffix:
            sha256 = await self._store(body.content, finding.suffix)
        return FetchOutcome(
            url=url,
            status=finding.status,
            http_status=body.http_status,
            error_class=finding.reason,
            attempts=attempts,
            started=started,
            finished=datetime.now(UTC),
            bytes=len(body.content),
            content_type=body.content_type,
            final_url=None if self._config.mirror else body.final_url,
            sha256=sha256,
            suffix=finding.suffix,
        )

    async def _store(self, content: bytes, suffix: str) -> str:
        """Store an image; return its content hash."""
        if len(content) < LARGE_BYTES:
            return self._workspace.store_image(content, suffix)
        return await asyncio.to_thread(self._workspace.store_image, content, suffix)


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
