"""Assemble what asks hosts: connections, room for bodies, examining processes, the schedule."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from webemo_curate.config import FetchConfig
from webemo_curate.download.asker import Asker
from webemo_curate.download.certificates import trusted
from webemo_curate.download.client import Downloader, user_agent
from webemo_curate.download.pools import Pools
from webemo_curate.download.room import MAX_HELD_BYTES, Room
from webemo_curate.download.schedule import Schedule
from webemo_curate.imaging import Examiner, ExamineWorker
from webemo_curate.workspace import Workspace

GATHERING_SECONDS: Final = 0.01
"""Seconds for which a body waits for others that are examined with it."""

ScheduleT = TypeVar("ScheduleT", bound=Schedule, covariant=True)


class ScheduleMaker(Protocol[ScheduleT]):
    """Makes a schedule for what asks."""

    def __call__(self, client: Asker, room: Room, slots: int) -> ScheduleT:
        """Return a schedule of so many slots."""


@dataclass(frozen=True)
class AskingSetup:
    """What a process needs to ask hosts.

    Attributes
    ----------
    config
        Politeness and limits; those over all hosts are divided by `parts`.
    worker
        Examines bodies.
    parts
        Number of processes that ask hosts at the same time.
    examiners
        Most processes that examine bodies; by default as `apart.processes` says.
    """

    config: FetchConfig
    worker: ExamineWorker
    parts: int = 1
    examiners: int | None = None

    @asynccontextmanager
    async def schedule(
        self, workspace: Workspace, make: ScheduleMaker[ScheduleT]
    ) -> AsyncIterator[ScheduleT]:
        """Yield a schedule whose requests are made while the block runs.

        Parameters
        ----------
        workspace : Workspace
            Stores the images.
        make : callable
            Makes the schedule.
        """
        room = Room(MAX_HELD_BYTES // self.parts)
        pools = Pools(user_agent(self.config), trusted())
        slots = max(1, self.config.connections // self.parts)
        with Examiner(self.worker, self.examiners, GATHERING_SECONDS) as examiner:
            async with pools:
                yield make(Downloader(self.config, workspace, pools, examiner, room), room, slots)
                await asyncio.sleep(0)  # tasks that have just been cancelled see it
