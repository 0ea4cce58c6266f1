"""One request of a URL, its outcome, and the test of whether a body is an image."""

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
    pools : Pools
        Make the requests.
    examiner : Examiner
        Says what a body is.
    room : Room, optional
        Bounds the bytes of bodies that are held.
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
        """Return the URL that is asked for in place of a listed one; see `schedule.Asker`."""
        return mirrored(url, self._config.mirror)

    async def ask(self, step: Step, seconds: float, turns: Turns) -> Body | Step:
        """Make one request.

        Parameters
        ----------
        step : Step
            Which.
        seconds : float
            For it.
        turns : Turns
            For what else is asked on the way; told of the time for which there was no room.

        Returns
        -------
        Body or Step
            What came, or where a redirect leads.

        Raises
        ------
        AttemptError
            If no complete body came, or whatever else this one URL brought about.
        CurateError
            If it is the machine's fault.
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
