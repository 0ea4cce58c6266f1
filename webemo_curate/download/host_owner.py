"""A process that owns some of the hosts: it asks them, stores their pictures, keeps a journal."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webemo_curate.config import FetchConfig
from webemo_curate.download.addresses import mirrored
from webemo_curate.download.asking_setup import AskingSetup
from webemo_curate.download.deal import Deal
from webemo_curate.download.garbage import seldom_collected
from webemo_curate.download.journal import Entry, Journal
from webemo_curate.download.notes import (
    Dealt,
    End,
    Ended,
    Handed,
    Logged,
    PassBegins,
    PassEnds,
    Result,
    Settled,
    SignedOff,
    Troubles,
)
from webemo_curate.download.outcome import FetchOutcome
from webemo_curate.download.owned_schedule import OwnedSchedule
from webemo_curate.download.queues import Queues
from webemo_curate.download.settler import Settler
from webemo_curate.imaging import ExamineWorker
from webemo_curate.storage.protocols import Store
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    from webemo_curate.runner.conversation import Say

TELL_SECONDS = 0.1
"""Seconds for which outcomes are gathered before they are told."""

TICK_SECONDS = 1.0
"""Seconds between two looks at slow hosts and at images to settle."""

LOGGER = "webemo_curate"


@dataclass(frozen=True)
class HostOwner:
    """The work of one process; a `runner.conversation.Talker`.

    Attributes
    ----------
    config
        Politeness and limits.
    worker
        Examines bodies.
    store
        Where images and journals go.
    prefix
        Prefix of the keys of the fetch's journals.
    decided_by
        Settings under which outcomes are found.
    deal
        Which process owns a host.
    own
        Number of this process.
    examiners
        Most processes that examine bodies.
    """

    config: FetchConfig
    worker: ExamineWorker
    store: Store
    prefix: str
    decided_by: Mapping[str, Any] = field(default_factory=dict)
    deal: Deal = field(default_factory=Deal)
    own: int = 0
    examiners: int = 2

    def staffed(self, processes: int) -> "HostOwner":
        """Return it with this many examining processes; see `runner.conversation.Talker`."""
        return replace(self, examiners=max(1, processes))

    def target(self, url: str) -> str:
        """Return the URL to request for a listed URL; see `asker.Asker`."""
        return mirrored(url, self.config.mirror)

    @property
    def journal(self) -> Journal:
        """The journal of this process."""
        return Journal(self.store, f"{self.prefix}/{self.part}", self.decided_by)

    @property
    def workspace(self) -> Workspace:
        """The workspace, to which this process adds its part of the images."""
        return Workspace(self.store, self.part)

    @property
    def part(self) -> str:
        """Name of what this process adds: its journal, its images."""
        return f"owners-{self.own:03d}"

    async def converse(self, heard: "asyncio.Queue[Any]", say: "Say") -> None:
        """Ask own hosts until the fetch is over; see `runner.conversation.Talker`."""
        _log_to(say)
        workspace = self.workspace
        asking = AskingSetup(self.config, self.worker, self.deal.processes, self.examiners)
        with seldom_collected(), self.journal as journal:
            found = _Outbox(Settler(journal), say)

            def make(client: Any, room: Any, slots: int) -> OwnedSchedule:
                return OwnedSchedule(
                    self.deal,
                    self.own,
                    say,
                    self.config,
                    client,
                    found.add,
                    room=room,
                    slots=slots,
                )

            async with asking.schedule(workspace, make) as schedule:
                found.schedule = schedule
                async with asyncio.TaskGroup() as group:
                    tending = group.create_task(_tend(found, schedule, workspace, say))
                    end = await _work(heard, schedule, found, group, workspace.root)
                    if not end.settle:
                        say(SignedOff())  # nothing is half written now: it may be killed
                    tending.cancel()
                if end.settle:
                    await asyncio.to_thread(found.settler.settle, workspace)
        say(SignedOff())


class _Outbox:
    """Outcomes of this process, on their way to the journal and to the driver."""

    def __init__(self, settler: Settler, say: "Say") -> None:
        self.settler, self._say = settler, say
        self.schedule: OwnedSchedule | None = None
        self.number = 1
        self._untold: list[Result] = []

    def add(self, outcome: FetchOutcome) -> None:
        """Record an outcome of the present pass; it then survives a kill of this process."""
        assert self.schedule is not None  # noqa: S101 - nothing was asked for before
        entry = Entry(outcome, self.number)
        self.settler.add(entry)
        if not self._untold:
            asyncio.get_running_loop().call_later(TELL_SECONDS, self.tell)
        self._untold.append(Result(outcome, self.schedule.held_for(outcome.url)))

    def tell(self) -> None:
        """Tell the driver what was found since the last time."""
        untold, self._untold = self._untold, []
        if untold:
            self._say(Ended(untold))


async def _work(
    heard: "asyncio.Queue[Any]",
    schedule: OwnedSchedule,
    found: _Outbox,
    group: asyncio.TaskGroup,
    root: Path,
) -> End:
    """Act on messages until one says that the fetch is over."""
    asking: asyncio.Task[None] | None = None
    while not isinstance(message := await heard.get(), End):
        if isinstance(message, PassBegins):
            found.number = message.number
            asking = group.create_task(schedule.run_pass())
            await asyncio.sleep(0)  # it has begun
        elif isinstance(message, PassEnds) and asking:
            schedule.close_pass()
            await asking
        else:
            _pass_on(message, schedule, root)
    if asking:
        asking.cancel()
    return message


def _pass_on(message: Any, schedule: OwnedSchedule, root: Path) -> None:
    """Pass URLs and turns on to the schedule of the present pass."""
    if isinstance(message, Dealt):
        schedule.deal_out(Queues.spilled(root, message.rows))
    elif isinstance(message, Handed):
        schedule.take_over(message.visit, message.name, message.wait)
    else:
        schedule.note(message)


async def _tend(found: _Outbox, schedule: OwnedSchedule, workspace: Workspace, say: "Say") -> None:
    """Tell of slow hosts and settle images from time to time, until cancelled."""
    told: list[str] = []
    while True:
        await asyncio.sleep(TICK_SECONDS)
        if (lines := schedule.troubles()) != told:
            say(Troubles(lines))
            told = lines
        if settled := await found.settler.settle_in_time(workspace):
            found.tell()
            say(Settled(settled))


class _LogLines(logging.Handler):
    """Sends lines of the log to the driver, which has the terminal."""

    def __init__(self, say: "Say") -> None:
        super().__init__(logging.INFO)
        self._told = say

    def emit(self, record: logging.LogRecord) -> None:
        self._told(Logged(record.levelno, record.getMessage()))


def _log_to(say: "Say") -> None:
    ours = logging.getLogger(LOGGER)
    ours.handlers, ours.propagate = [_LogLines(say)], False
    ours.setLevel(logging.INFO)
