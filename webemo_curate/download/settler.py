"""Add outcomes to a journal, and settle their images from time to time."""

import asyncio

from webemo_curate.download.journal import Entry, Journal
from webemo_curate.workspace import Workspace

SETTLE_OUTCOMES = 2000
SETTLE_SECONDS = 300.0
"""Images are flushed to the disk (or, in shards, to the object store) at whichever limit comes
first. A slow host's outcomes must not stay unsettled for hours, and a shard should not hold only a
few images."""


class Settler:
    """Counts which of a journal's outcomes have their images safely stored.

    Parameters
    ----------
    journal : Journal
        An open journal, to which nobody else adds.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._count = self._settled = 0
        self._last: float | None = None

    def add(self, entry: Entry) -> None:
        """Append an outcome to the journal; from then on it survives a kill of this process."""
        self._journal.add(entry)
        self._count += 1

    async def settle_in_time(self, workspace: Workspace) -> int:
        """Settle if it is time to; called every second or so.

        Returns
        -------
        int
            Number of outcomes that this settled.
        """
        now = asyncio.get_running_loop().time()
        self._last = now if self._last is None else self._last
        waiting = self._count - self._settled
        if waiting < SETTLE_OUTCOMES and not (waiting and now - self._last >= SETTLE_SECONDS):
            return 0
        count = self._count
        await asyncio.to_thread(workspace.settle)
        self._note(count)
        self._last = asyncio.get_running_loop().time()
        return waiting

    def settle(self, workspace: Workspace) -> None:
        """Flush the images of all outcomes added so far, and mark these as settled."""
        workspace.settle()
        self._note(self._count)

    def _note(self, count: int) -> None:
        """Record that the images of the first `count` outcomes are safely stored."""
        self._journal.settle(later=self._count - count)
        self._settled = count
