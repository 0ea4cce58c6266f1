"""Record outcomes as they arrive (memory, journal, progress bar), and tell which URLs are left."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

from webemo_curate.download.journal import Entry, Journal
from webemo_curate.download.outcome import RETRIED, FetchOutcome, better
from webemo_curate.download.settler import Settler
from webemo_curate.progress import ProgressBar
from webemo_curate.workspace import Workspace

SHOWN_STATUSES = 4
"""Most statuses shown beside the progress bar, the most frequent first."""

SHOWN_TROUBLES = 2
"""Most slow hosts shown beside it, those with the most waiting URLs first."""

TICK_SECONDS = 1.0
"""Seconds between redraws of the line, also while no outcome arrives."""


class Known:
    """The outcomes of all URLs so far, from this run and earlier ones.

    Parameters
    ----------
    finished : iterable of FetchOutcome
        Outcomes of finished runs, which made all their passes.
    journaled : iterable of Entry
        Journal of a killed run, in order.
    """

    def __init__(self, finished: Iterable[FetchOutcome], journaled: Iterable[Entry]) -> None:
        self.outcomes = {outcome.url: outcome for outcome in finished}
        self._passes: dict[str, int] = {}
        for entry in journaled:
            self.put(entry)

    def put(self, entry: Entry) -> None:
        """Store the outcome of a URL after a pass, in place of an earlier one."""
        url = entry.outcome.url
        self.outcomes[url] = entry.outcome
        if entry.outcome.status in RETRIED:
            self._passes[url] = entry.number
        else:
            self._passes.pop(url, None)

    def forget(self, url: str, number: int) -> FetchOutcome:
        """Drop an outcome, so that a pass requests the URL again; return it."""
        if number > 1:
            self._passes[url] = number - 1
        return self.outcomes.pop(url)

    def due(self, urls: Iterable[str], number: int) -> list[str]:
        """Return the URLs that a pass must request: without an outcome, or with a passing failure.

        Parameters
        ----------
        urls : iterable of str
            All URLs wanted.
        number : int
            Number of the pass, from 1.
        """
        if number == 1:
            return [url for url in urls if url not in self.outcomes]
        return [url for url in urls if 0 < self._passes.get(url, number) < number]


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
        entry = Entry(better(self._known.outcomes.get(outcome.url), outcome), self.number)
        self._settler.add(entry)
        self.note(entry)

    def note(self, entry: Entry) -> None:
        """Count an outcome that is in a journal already."""
        earlier = self._known.outcomes.get(entry.outcome.url)
        self._known.put(entry)
        self._counts[entry.outcome.status] += 1
        self._bytes += entry.outcome.bytes or 0
        if earlier is None:
            self._bar.update()
        else:
            self._counts[earlier.status] -= 1

    def take_back(self, url: str) -> None:
        """Drop an outcome whose image was lost with the process that found it."""
        self._counts[self._known.forget(url, self.number).status] -= 1
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
