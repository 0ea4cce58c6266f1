"""Fetch URLs in this process, or in several that share out the hosts."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from webemo_curate.config import FetchConfig
from webemo_curate.download.addresses import mirrored
from webemo_curate.download.asker import Asker
from webemo_curate.download.asking_setup import AskingSetup
from webemo_curate.download.deal import MAX_NAMED, Deal
from webemo_curate.download.fleet import DEATHS, Fleet
from webemo_curate.download.garbage import seldom_collected
from webemo_curate.download.host_owner import HostOwner
from webemo_curate.download.known import Known
from webemo_curate.download.listed_urls import Mask
from webemo_curate.download.queue_maker import QueueMaker
from webemo_curate.download.queues import Queues
from webemo_curate.download.record import Record
from webemo_curate.download.room import Room
from webemo_curate.download.schedule import Schedule
from webemo_curate.errors import CurateError
from webemo_curate.imaging import ExamineWorker, processes
from webemo_curate.runner.conversation import Partners, run_to_end
from webemo_curate.runner.job import Runner
from webemo_curate.system_faults import GO_ON
from webemo_curate.workspace import Workspace

logger = logging.getLogger(__name__)

MIN_EXAMINERS = 2
"""Examining processes of one that owns hosts, so that one slow file blocks nothing."""


@dataclass(frozen=True)
class WebFetch:
    """All passes over the URLs of a fetch.

    Attributes
    ----------
    config
        Politeness, limits, the number of passes.
    worker
        Examines bodies.
    workspace
        Stores the images.
    memory
        Bytes within which URLs are sorted.
    chosen
        The URLs to fetch, of those that are known of.
    known
        Outcomes so far.
    record
        Notes outcomes.
    journals
        Prefix of the keys of the fetch's journals.
    decided_by
        Settings under which outcomes are found.
    """

    config: FetchConfig
    worker: ExamineWorker
    workspace: Workspace
    memory: int
    chosen: Mask
    known: Known
    record: Record
    journals: str
    decided_by: Mapping[str, Any]

    def run(self, runner: Runner) -> None:
        """Bring each URL to an outcome.

        Parameters
        ----------
        runner : Runner
            Says where, and in how many processes. One host is asked in this one.

        Raises
        ------
        CurateError
            If the machine lacks what the fetch needs; what was found is kept.
        """
        with seldom_collected():
            for _ in range(DEATHS):
                self._run(runner)
                lost = int((self.known.due(1) & self.chosen).sum())
                if not lost:
                    return
                logger.warning("fetch: a process died at the end; %d URLs are fetched anew", lost)
        raise CurateError(
            f"fetch: its processes die while it ends; is there enough memory? {GO_ON}"
        )

    def _run(self, runner: Runner) -> None:
        queues = self._queues(1, {})
        sizes = self._maker.largest(queues, MAX_NAMED)
        if Deal.of(sizes, len(sizes), len(queues)).processes > 1:
            with runner.partners() as partners:
                # A host may take all connections of its process, and all together are bounded.
                most = self.config.connections // self.config.concurrency
                deal = Deal.of(sizes, max(1, min(partners.size, most)), len(queues))
                if deal.processes > 1:
                    self._in_several(queues, deal, partners)
                    return
        run_to_end(self._here(queues))

    @cached_property
    def _maker(self) -> QueueMaker:
        def target(url: str) -> str:
            return mirrored(url, self.config.mirror)

        root = self.workspace.root
        return QueueMaker(root, self.memory, self.known, target, self.record.add)

    def _queues(self, number: int, held: Mapping[str, float]) -> Queues:
        """Return the URLs that a pass must request, by host; note those that cannot be."""
        self.record.number = number
        due = self.known.due(number) & self.chosen
        if number > 1 and (count := int(due.sum())):
            logger.info("pass %d: %d URLs that failed", number, count)
        return self._maker.make(due, number, held, self.config.timeout)

    async def _here(self, queues: Queues) -> None:
        def make(client: Asker, room: Room, slots: int) -> Schedule:
            return Schedule(self.config, client, self.record.add, room=room, slots=slots)

        asking = AskingSetup(self.config, self.worker)
        async with (
            asking.schedule(self.workspace, make) as schedule,
            asyncio.TaskGroup() as group,
        ):
            tending = group.create_task(self.record.tend(self.workspace, schedule.troubles))
            await schedule.run_queued(queues)
            for number in range(2, self.config.passes + 1):
                await schedule.run_queued(self._queues(number, schedule.held()))
            tending.cancel()
            _say_held(schedule.held())

    def _in_several(self, queues: Queues, deal: Deal, partners: Partners) -> None:
        owner = HostOwner(
            self.config,
            self.worker,
            self.workspace.store,
            self.journals,
            self.decided_by,
            deal,
        ).staffed(max(MIN_EXAMINERS, processes() // deal.processes))
        with Fleet(owner, partners, self.known, self.record) as fleet:
            fleet.run_pass(1, queues)
            for number in range(2, self.config.passes + 1):
                fleet.run_pass(number, self._queues(number, fleet.held()))
        if fleet.has_lost_some:
            self.workspace.store.sweep()  # what these were writing
        self.workspace.images.gather()
        _say_held(fleet.held())


def _say_held(held: Mapping[str, float]) -> None:
    if held:
        wait = timedelta(seconds=round(max(held.values())))
        logger.info("Retry-After holds %d URLs, the last of them for %s", len(held), wait)
