"""Know which process has which URL of a pass, so that a death loses none."""

from collections.abc import Iterator, Mapping

import pyarrow as pa

from webemo_curate.download.deal import Deal
from webemo_curate.download.known import Known
from webemo_curate.download.queues import Queues


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
    number
        Number of the pass, from 1.
    """

    def __init__(self, deal: Deal, known: Known) -> None:
        self._deal, self._known = deal, known
        self._away: dict[str, int] = {}
        self._tables: list[pa.Table] = []
        self.number = 0

    def begin(self, number: int, queues: Queues) -> None:
        """Begin a pass over URLs."""
        self.number, self._tables = number, [queues.rows]
        self._away.clear()
        self.add({visit.url: name for name, visit in queues.held})

    def add(self, hosts: Mapping[str, str]) -> None:
        """Add URLs, with their hosts, that are not in the queues of the pass."""
        places = [self._known.urls.place(url) for url in hosts]
        columns = list(hosts.values()), list(hosts), pa.array(places, pa.uint32())
        self._tables.append(pa.table(dict(zip(("host", "url", "place"), columns, strict=True))))

    def handed(self, url: str, owner: int) -> None:
        """Note that a URL is with another process than its own host's."""
        self._away[url] = owner

    def is_open(self, url: str) -> bool:
        """Return whether a URL has no outcome of this pass."""
        return self._known.is_due(url, self.number)

    def ended(self, url: str) -> None:
        """Note that a URL has its outcome."""
        self._away.pop(url, None)

    def with_process(self, own: int) -> Iterator[pa.Table]:
        """Yield the open URLs that were with a process, as rows of `Queues`; they are now nowhere.

        There are some at a time, those of a host in their order.
        """
        for batch in (batch for table in self._tables for batch in table.to_batches()):
            due = self._known.due_among(batch["place"].to_numpy(), self.number)
            rows = pa.Table.from_batches([batch.filter(pa.array(due))])
            pairs = zip(rows["host"].to_pylist(), rows["url"].to_pylist(), strict=True)
            where = [self._away.get(url, self._deal.owner(name)) for name, url in pairs]
            lost = rows.filter(pa.array([process == own for process in where], pa.bool_()))
            for url in lost["url"].to_pylist():
                self._away.pop(url, None)
            if lost.num_rows:
                yield lost
