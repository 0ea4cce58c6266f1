"""Make the queues of a pass: find the host of each URL that is due, and sort by it on the disk."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pyarrow as pa

from webemo_curate.download.known import Known
from webemo_curate.download.listed_urls import THREADS, Mask, url_bytes
from webemo_curate.download.outcome import FetchOutcome
from webemo_curate.download.queues import HeldUrl, Queues, first_host, held_visit
from webemo_curate.table_engine import TableEngine, spilled

DUE: Final = pa.schema(
    [("host", pa.string()), ("place", pa.uint32()), ("url", pa.string()), ("row", pa.int64())]
)
"""A URL that a pass must request; `row` is that of its outcome so far."""

BY_HOST: Final = """
select due.* exclude (row) {outcomes}
from due join (select host, count(*) as size from due group by host) using (host) {join}
order by size desc, host, place -- the hosts with the most URLs take longest, so they start first
"""

FIRST: Final = BY_HOST.format(outcomes="", join="")
LATER: Final = BY_HOST.format(
    outcomes=", outcomes.* exclude (url, row, place, host)",
    join="left join outcomes using (row)",
)

LARGEST: Final = """
select host, count(*) from queues group by host order by count(*) desc, host limit $most
"""


class QueueMaker:
    """Makes the queues of a fetch's passes.

    Parameters
    ----------
    root : Path
        Local folder of the workspace.
    memory : int
        Bytes within which URLs are sorted.
    known : Known
        Outcomes so far.
    target : callable
        Returns the URL to request for a listed one; see `asker.Asker.target`.
    sink : callable
        Receives the outcomes of URLs that cannot be requested.
    """

    def __init__(
        self,
        root: Path,
        memory: int,
        known: Known,
        target: Callable[[str], str],
        sink: Callable[[FetchOutcome], None],
    ) -> None:
        self._root, self._memory, self._known = root, memory, known
        self._target, self._sink = target, sink

    def make(
        self, due: Mask, number: int, held: Mapping[str, float], seconds: float = 0.0
    ) -> Queues:
        """Sort URLs by the host of their first request.

        Parameters
        ----------
        due : ndarray of bool
            The URLs to request.
        number : int
            Number of the pass, from 1.
        held : mapping of str to float
            Seconds for which an earlier pass's `Retry-After` still holds URLs.
        seconds : float, optional
            A URL's own time; URLs that are held for longer are left out.
        """
        if not due.any():  # as in most second passes
            return Queues(DUE.empty_table())
        tables = {"due": spilled(self._root, DUE, self._batches(due, held))}
        if number > 1:
            tables["outcomes"] = self._known.rows()
        memory = url_bytes(tables["due"].num_rows, self._memory) if number == 1 else self._memory
        with TableEngine(self._root, tables, memory, THREADS) as engine:
            rows = engine.table(FIRST if number == 1 else LATER)
        return Queues(rows, [*self._held(due, held, seconds)])

    def largest(self, queues: Queues, most: int) -> dict[str, int]:
        """Return how many URLs the hosts have that have the most."""
        with TableEngine(self._root, {"queues": queues.rows}, self._memory, THREADS) as engine:
            return dict(engine.rows(LARGEST, most=most))

    def _batches(self, due: Mask, held: Mapping[str, float]) -> Iterator[pa.RecordBatch]:
        """Yield the due URLs that nothing holds, with their hosts."""
        for places, urls in self._known.urls.chosen(due):
            hosts = [None if held.get(url) else self._host(url) for url in urls]
            columns = hosts, places, urls, self._known.rows_of(places)
            arrays = [pa.array(c, kind) for c, kind in zip(columns, DUE.types, strict=True)]
            rows = pa.RecordBatch.from_arrays(arrays, schema=DUE)
            yield rows.filter(rows["host"].is_valid())

    def _held(self, due: Mask, held: Mapping[str, float], seconds: float) -> Iterator[HeldUrl]:
        """Yield the due URLs that are held for less than their own time."""
        for url, wait in held.items():
            place = self._known.urls.place(url)
            if place is None or not due[place] or wait >= seconds:
                continue
            if (name := self._host(url)) is not None:
                yield HeldUrl(name, held_visit(url, wait, self._known.outcome(url)))

    def _host(self, url: str) -> str | None:
        return first_host(url, self._target, self._sink)
