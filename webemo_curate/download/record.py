"""Record outcomes as they arrive: in the journal, in what is known, on the progress bar."""

import asyncio
from collections import Counter
from collections.abc import Callable

from webemo_curate.download.journal import Entry, Journal
from webemo_curate.download.known import Known
from webemo_curate.download.outcome import FetchOutcome
from webemo_curate.download.settler import Settler
from webemo_curate.progress import ProgressBar
from webemo_curate.workspace import Workspace

SHOWN_STATUSES = 4
"""Most statuses shown beside the progress bar, the most frequent first."""

SHOWN_TROUBLES = 2
"""Most slow hosts shown beside it, those with the most waiting URLs first."""

TICK_SECONDS = 1.0
"""Seconds between redraws of the line, also while no outcome arrives."""


class Record:
    """Passes outcomes on to memory, the journal and the progress bar.

    Parameters
    ----------
    known : Known
        Receives the outcomes.
    journal : Journal
        An open journal.
    bar : ProgressBar
        Shows the progress.
    """

    def __init__(self, known: Known, journal: Journal, bar: ProgressBar) -> None:
        self._known, self._settler, self._bar = known, Settler(journal), bar
        self._counts: Counter[str] = Counter()
        self._bytes = 0
        self.number = 1

    def add(self, outcome: FetchOutcome) -> None:
        """Record an outcome of the present pass; it then survives a kill of this process."""
        entry = Entry(outcome, self.number)
        self._settler.add(entry)
        self.note(entry)

    def note(self, entry: Entry) -> None:
        """Count an outcome that is in a journal already."""
        earlier = self._known.put(entry)
        self._counts[entry.outcome.status] += 1
        self._bytes += entry.outcome.bytes or 0
        if earlier is None:
            self._bar.update()
        else:
            self._counts[earlier] -= 1

    def take_back(self, url: str) -> None:
        """Drop an outcome whose image was lost with the process that found it."""
        earlier = self._known.forget(url, self.number)
        if earlier:
            self._counts[earlier] -= 1
            self._bar.update(-1)

    def show(self, troubles: list[str]) -> None:
        """Draw the progress line, with the hosts that are slow."""
        if self._bar.disable:
            return
        shown = {name: count for name, count in self._counts.most_common(SHOWN_STATUSES) if count}
        parts = [f"{name}={count}" for name, count in shown.items()]
        parts.append(f"MB={self._bytes // 2**20}")
        if self.number > 1:
            parts.append(f"pass {self.number}")
        more = len(troubles) - SHOWN_TROUBLES
        parts += troubles[:SHOWN_TROUBLES] + ([f"{more} more slow hosts"] if more > 0 else [])
        self._bar.set_postfix_str(", ".join(parts))

    async def tend(self, workspace: Workspace, troubles: Callable[[], list[str]]) -> None:
        """Redraw the line and settle images periodically, until cancelled.

        Parameters
        ----------
        workspace : Workspace
            Holds the images.
        troubles : callable
            Returns a line for each slow host, with the reason.
        """
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.show(troubles())
            await self._settler.settle_in_time(workspace)

    def settle(self, workspace: Workspace) -> None:
        """Flush the images of all outcomes recorded so far, and mark these as settled."""
        self._settler.settle(workspace)
