"""Request a URL, check that the body is an image, and store it."""

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime

from webemo_curate import __version__
from webemo_curate.config import FetchConfig
from webemo_curate.download.addresses import mirrored
from webemo_curate.download.answers import body_of
from webemo_curate.download.following import AGENT, Follower
from webemo_curate.download.outcome import AttemptError, Body, FetchOutcome
from webemo_curate.download.pools import Pools
from webemo_curate.download.room import Room, Share
from webemo_curate.download.steps import Step, Turns
from webemo_curate.errors import CurateError, InputError
from webemo_curate.imaging import Examiner
from webemo_curate.own_faults import described
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import FetchStatus
from webemo_curate.workspace import Workspace

logger = logging.getLogger(__name__)

LARGE_BYTES = 256 * 1024
"""Bytes. A smaller body is stored on the event loop: handing it to a thread would cost more than
writing it."""


class Downloader:
    """Downloads URLs into a workspace.

    Parameters
    ----------
    config : FetchConfig
        Politeness, limits and the mirror.
    workspace : Workspace
        Stores the images.
    pools : Pools
        Make the requests.
    examiner : Examiner
        Checks what a body is.
    room : Room, optional
        Bounds the bytes of bodies held in memory.
    """

    def __init__(
        self,
        config: FetchConfig,
        workspace: Workspace,
        pools: Pools,
        examiner: Examiner,
        room: Room | None = None,
    ) -> None:
        self._config = config
        self._workspace = workspace
        self._examiner = examiner
        self._room = room or Room()
        self._follower = Follower(config, pools)

    def target(self, url: str) -> str:
        """Return the URL to request for a listed URL; see `asker.Asker`."""
        return mirrored(url, self._config.mirror)

    async def ask(self, step: Step, seconds: float, turns: Turns) -> Body | Step:
        """Make one request.

        Parameters
        ----------
        step : Step
            The request to make.
        seconds : float
            Its time limit.
        turns : Turns
            Waits for the turns of other requests that this one needs (robots.txt); the time without
            room for the body is added to it.

        Returns
        -------
        Body or Step
            The body that arrived, or the next request after a redirect.

        Raises
        ------
        AttemptError
            If no complete body arrived, or anything else went wrong that concerns this URL alone.
        CurateError
            If the machine is at fault.
        """
        share, answer = self._room.share(), None
        try:
            answer = await self._asked(step, seconds, turns, share)
            return answer
        finally:
            turns.waited += share.waited
            if not isinstance(answer, Body):
                share.give_back()

    async def _asked(self, step: Step, seconds: float, turns: Turns, share: Share) -> Body | Step:
        try:
            answer = await self._follower.picture(step, seconds, turns, share)
            if isinstance(answer, Step):
                return answer
            return replace(body_of(answer, self._config.ignore_robots), share=share)
        except (AttemptError, CurateError):
            raise
        except Exception as error:
            raise_system_fault(error)
            logger.debug("%s", step.url, exc_info=True)
            raise AttemptError(FetchStatus.INTERNAL_ERROR, described(error)) from None

    async def accept(self, url: str, body: Body, attempts: int, started: datetime) -> FetchOutcome:
        """Check a body as an image and store it.

        Parameters
        ----------
        url : str
            As listed.
        body : Body
            The body.
        attempts : int
            Number of attempts made.
        started : datetime
            When the first attempt began.

        Returns
        -------
        FetchOutcome
            Always returned, whatever the body holds; only what the machine lacks raises a
            `CurateError`.
        """
        try:
            return await self._accepted(url, body, attempts, started)
        finally:
            if body.share:
                body.share.give_back()

    async def _accepted(
        self, url: str, body: Body, attempts: int, started: datetime
    ) -> FetchOutcome:
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
    """Return the User-Agent header: the program's own name, with the contact if one is given.

    Raises
    ------
    InputError
        If the contact cannot stand in a header line.
    """
    if config.contact and not config.contact.isprintable():
        raise InputError(f"--contact {config.contact!r}: it must be one line; give an address")
    contact = f" (contact: {config.contact})" if config.contact else ""
    return f"{AGENT}/{__version__}{contact}"
