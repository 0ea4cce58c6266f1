"""The URLs of a pass, sorted by host: a table on the disk, in which a host's URLs lie together."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.download.host_queue import HostQueue
from webemo_curate.download.hosts import host_of
from webemo_curate.download.outcome import AttemptError, FetchOutcome
from webemo_curate.download.visit import Visit
from webemo_curate.table_engine import spilled


class HeldUrl(NamedTuple):
    """A URL that an earlier pass's `Retry-After` still holds, but for less than its own time.

    Attributes
    ----------
    name
        The host.
    visit
        The URL; the wait counts as time spent.
    """

    name: str
    visit: Visit


class Queues:
    """The URLs of a pass by host, each host's in the order in which it is to be asked.

    Parameters
    ----------
    rows : pa.Table
        Columns `host` and `url`, a host's rows together; the columns of outcomes, if earlier passes
        found some. Mapped from the disk, unless there are few.
    held : sequence of HeldUrl, optional
        URLs besides these.
    """

    def __init__(self, rows: pa.Table, held: Sequence[HeldUrl] = ()) -> None:
        self.rows, self.held = rows, held

    @classmethod
    def of(
        cls,
        urls: Iterable[str],
        target: Callable[[str], str],
        sink: Callable[[FetchOutcome], None],
        held: Mapping[str, float],
        seconds: float,
    ) -> Self:
        """Sort URLs that are in memory; see `queue_maker.QueueMaker.make`."""
        by_host: dict[str, list[str]] = {}
        waiting = []
        for url in urls:
            name = first_host(url, target, sink) if held.get(url, 0.0) < seconds else None
            if name is not None and url in held:
                waiting.append(HeldUrl(name, held_visit(url, held[url])))
            elif name is not None:
                by_host.setdefault(name, []).append(url)
        ordered = sorted(by_host.items(), key=lambda item: -len(item[1]))
        rows = {
            "host": [name for name, there in ordered for _ in there],
            "url": [url for _, there in ordered for url in there],
        }
        return cls(pa.table(rows, pa.schema([(name, pa.string()) for name in rows])), waiting)

    @classmethod
    def spilled(cls, root: Path, rows: pa.Table) -> Self:
        """Put rows that are in memory on the disk."""
        return cls(spilled(root, rows.schema, rows.to_batches()))

    def __len__(self) -> int:
        return int(self.rows.num_rows) + len(self.held)

    def names(self) -> Iterator[str]:
        """Yield the hosts."""
        return (name for name, _, _ in _runs(self.rows["host"]))

    def hosts(self) -> Iterator[tuple[str, HostQueue]]:
        """Yield each host and its queue."""
        rows = self.rows.drop_columns(["host"])
        return ((name, HostQueue(rows, *ends)) for name, *ends in _runs(self.rows["host"]))


def held_visit(url: str, wait: float, earlier: FetchOutcome | None = None) -> Visit:
    """Return a URL that `Retry-After` holds for so many seconds, which are of its own time."""
    visit = Visit(url, earlier)
    visit.spent = wait
    return visit


def first_host(
    url: str, target: Callable[[str], str], sink: Callable[[FetchOutcome], None]
) -> str | None:
    """Return the host of a URL's first request.

    Parameters
    ----------
    url : str
        As listed.
    target : callable
        Returns the URL to request for a listed one; see `asker.Asker.target`.
    sink : callable
        Receives the outcome of a URL that cannot be requested; None is returned for it.
    """
    try:
        return host_of(target(url))
    except AttemptError as error:
        sink(Visit(url).outcome(error))
        return None


def _runs(values: pa.ChunkedArray) -> Iterator[tuple[Any, int, int]]:
    """Yield each run of equal values with its first row and the row after its last."""
    value, start, end = None, 0, 0
    for chunk in values.chunks:
        coded, before = pc.run_end_encode(chunk), end
        for found, at in zip(coded.values.to_pylist(), coded.run_ends.to_pylist(), strict=True):
            if found != value:
                if end > start:
                    yield value, start, end
                value, start = found, end
            end = before + at
    if end > start:
        yield value, start, end
