"""The URLs that one host is asked for in a pass, read from the disk some at a time."""

import pyarrow as pa

from webemo_curate.download.outcome_rows import outcomes
from webemo_curate.download.visit import Visit

WINDOW = 64
"""URLs of a host that are in memory at once, besides those under way."""


class HostQueue:
    """A part of a table, in its order.

    Parameters
    ----------
    rows : pa.Table
        Column `url`, and those of outcomes if earlier passes found some.
    start, end : int
        The host's first row, and the row after its last.
    """

    __slots__ = ("_at", "_end", "_read", "_rows")

    def __init__(self, rows: pa.Table, start: int, end: int) -> None:
        self._rows, self._at, self._end = rows, start, end
        self._read: list[Visit] = []

    def __len__(self) -> int:
        """Return how many URLs are left."""
        return self._end - self._at + len(self._read)

    def take(self) -> Visit:
        """Take the next URL; there must be one."""
        if not self._read:
            size = min(WINDOW, self._end - self._at)
            self._read = visits(self._rows.slice(self._at, size))[::-1]
            self._at += size
        return self._read.pop()


def visits(rows: pa.Table) -> list[Visit]:
    """Return the URLs of rows, each with the outcome of earlier passes if the rows have some."""
    urls = rows["url"].to_pylist()
    if "status" not in rows.column_names:
        return [Visit(url) for url in urls]
    return [Visit(url, earlier) for url, earlier in zip(urls, outcomes(rows), strict=True)]
