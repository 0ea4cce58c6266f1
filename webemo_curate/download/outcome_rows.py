"""Outcomes on the disk, in the order in which they were noted: memory holds the last few only."""

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from webemo_curate.download.outcome import COLUMNS, FetchOutcome, values_of
from webemo_curate.fields import plain_type
from webemo_curate.schemas import FETCH
from webemo_curate.table_engine import spilled
from webemo_curate.verdicts import FetchStatus

ROWS = 16_384
"""Outcomes that are written at a time."""

SCHEMA = pa.schema(
    [
        *((field.name, plain_type(field.type)) for field in FETCH),
        ("row", pa.int64()),
        ("place", pa.uint32()),
        ("host", pa.string()),
    ]
)
"""The manifest's columns; the row's number; the URL's place in the fetch; the host of a picture."""


class OutcomeRows:
    """Outcomes, of which a URL may have several: each has a row number, from 0.

    Parameters
    ----------
    root : Path
        Local folder of the workspace, which takes what is written.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._parts: list[pa.Table] = []
        self._starts: list[int] = []
        self._waiting: list[tuple[FetchOutcome, int]] = []
        self._written = 0

    def __len__(self) -> int:
        return self._written + len(self._waiting)

    def add(self, outcome: FetchOutcome, place: int) -> int:
        """Add the outcome of the URL at a place; return the number of its row."""
        self._waiting.append((outcome, place))
        if len(self._waiting) == ROWS:
            self._write()
        return len(self) - 1

    def outcome(self, row: int) -> FetchOutcome:
        """Return the outcome of a row."""
        if row >= self._written:
            return self._waiting[row - self._written][0]
        part = bisect_right(self._starts, row) - 1
        (found,) = outcomes(self._parts[part].slice(row - self._starts[part], 1))
        if found is None:
            raise ValueError(f"row {row} has no status")
        return found

    def table(self) -> pa.Table:
        """Return all rows, in columns of `SCHEMA`, mapped from the disk."""
        if self._waiting:
            self._write()
        return pa.concat_tables(self._parts) if self._parts else SCHEMA.empty_table()

    def _write(self) -> None:
        found = [outcome for outcome, _ in self._waiting]
        values = zip(*map(values_of, found), strict=True)
        columns: dict[str, Sequence[Any]] = dict(zip(COLUMNS, values, strict=True))
        columns["row"] = list(range(self._written, len(self)))
        columns["place"] = [place for _, place in self._waiting]
        columns["host"] = [_host(outcome) for outcome in found]
        arrays = [pa.array(columns[field.name], field.type) for field in SCHEMA]
        batch = pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)
        self._starts.append(self._written)
        self._parts.append(spilled(self._root, SCHEMA, [batch]))
        self._written, self._waiting = len(self), []


def outcomes(rows: pa.Table) -> list[FetchOutcome | None]:
    """Return the outcomes of rows with the manifest's columns; None where there is no status."""
    columns = [rows[name].to_pylist() for name in COLUMNS]
    return [_outcome(*values) for values in zip(*columns, strict=True)]


def _outcome(url: str, status: str | None, *others: object) -> FetchOutcome | None:
    return FetchOutcome(url, FetchStatus(status), *others) if status else None  # type: ignore[arg-type]


def _host(outcome: FetchOutcome) -> str | None:
    """Return the host whose placeholder a picture may be."""
    if outcome.sha256 is None or outcome.status is FetchStatus.LOCAL:
        return None
    return urlsplit(outcome.url).hostname or ""
