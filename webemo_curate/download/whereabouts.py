"""Know which process has which URL of a pass, so that a death loses none."""

from collections.abc import Mapping

from webemo_curate.download.deal import Deal
from webemo_curate.download.record import Known


class Whereabouts:
    """The URLs of a pass, each with the owner of its host unless it was handed over.

    Parameters
    ----------
    deal : Deal
        Which process owns a host.
    known : Known
        Outcomes so far.

    Attributes
    ----------
    queues
        The URLs by host.
    number
        Number of the pass, from 1.
    """

    def __init__(self, deal: Deal, known: Known) -> None:
        self._deal, self._known = deal, known
        self._away: dict[str, int] = {}
        self.queues: dict[str, list[str]] = {}
        self.number = 0

    def begin(self, number: int, queues: Mapping[str, list[str]]) -> None:
        """Begin a pass over URLs."""
        self.number, self.queues = number, dict(queues)
        self._away.clear()

    def add(self, queues: Mapping[str, list[str]]) -> None:
        """Add URLs whose outcomes were lost."""
        for name, urls in queues.items():
            there = self.queues.get(name, [])
            self.queues[name] = [*there, *(url for url in urls if url not in set(there))]

    def handed(self, url: str, owner: int) -> None:
        """Note that a URL is with another process than its own host's."""
        self._away[url] = owner

    def is_open(self, url: str) -> bool:
        """Return whether a URL has no outcome of this pass."""
        return bool(self._known.due([url], self.number))

    def ended(self, url: str) -> None:
        """Note that a URL has its outcome."""
        self._away.pop(url, None)

    def with_process(self, own: int) -> dict[str, list[str]]:
        """Return the open URLs that were with a process, by host; they are now nowhere."""
        found = {}
        for name, urls in self.queues.items():
            home = self._deal.owner(name)
            due = self._known.due(urls, self.number)
            lost = [url for url in due if self._away.get(url, home) == own]
            for url in lost:
                self._away.pop(url, None)
            if lost:
                found[name] = lost
        return found
