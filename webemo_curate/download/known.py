"""Know of each URL whether it has an outcome, and which row of those on the disk it is."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from webemo_curate.download.journal import Entry
from webemo_curate.download.listed_urls import ListedUrls, Mask
from webemo_curate.download.outcome import RETRIED, FetchOutcome
from webemo_curate.download.outcome_rows import OutcomeRows
from webemo_curate.verdicts import FetchStatus

STATUSES: Final = tuple(FetchStatus)

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

MICROSECOND: Final = timedelta(microseconds=1)

NEVER: Final = -(2**63)
"""Moment of an outcome that does not say when it was found."""

MAX_PASS: Final = 2**16 - 1
"""Highest number of a pass that is told from others."""


class Known:
    """What is known of each URL so far, from this run and earlier ones: some bytes of each.

    The outcomes themselves are on the disk.

    Parameters
    ----------
    urls : ListedUrls
        The URLs of the fetch; outcomes of others are passed over.
    root : Path
        Local folder of the workspace.

    Attributes
    ----------
    urls
        See above.
    """

    def __init__(self, urls: ListedUrls, root: Path) -> None:
        self.urls = urls
        self._rows = OutcomeRows(root)
        self._statuses = np.zeros(len(urls), np.uint8)
        self._passes = np.zeros(len(urls), np.uint16)
        self._last = np.zeros(len(urls), np.uint32)
        self._manifest: NDArray[np.uint32] | None = None

    def put_row(self, outcome: FetchOutcome, *, stands: bool) -> None:
        """Store an outcome of the manifest.

        Parameters
        ----------
        outcome : FetchOutcome
            Of a finished run, which made all its passes.
        stands : bool
            Whether its picture is stored; otherwise the URL must be requested again, and the row
            counts if the same picture comes.
        """
        place = self.urls.place(outcome.url)
        if place is None:
            return
        if self._manifest is None:
            self._manifest = np.zeros(len(self.urls), np.uint32)
        row = self._rows.add(outcome, place)
        self._manifest[place] = row + 1
        if stands:
            self._statuses[place], self._last[place] = _code(outcome.status), row

    def put_all(self, entries: Iterable[Entry]) -> None:
        """Store journaled outcomes; the latest of a URL counts, whichever process wrote it."""
        latest = np.full(len(self.urls), np.iinfo(np.int64).min)
        for entry in entries:
            place, moment = self.urls.place(entry.outcome.url), _moment(entry.outcome.finished)
            if place is not None and moment >= latest[place]:
                latest[place] = moment
                self.put(entry)

    def put(self, entry: Entry) -> FetchStatus | None:
        """Store the outcome of a URL after a pass, in place of an earlier one.

        Returns
        -------
        FetchStatus or None
            Status of the earlier outcome.
        """
        place = self.urls.place(entry.outcome.url)
        if place is None:
            return None
        earlier = self._status(place)
        self._last[place] = self._rows.add(entry.outcome, place)
        self._statuses[place] = _code(entry.outcome.status)
        failed = entry.outcome.status in RETRIED
        self._passes[place] = min(max(0, entry.number), MAX_PASS) if failed else 0
        return earlier

    def forget(self, url: str, number: int) -> FetchStatus | None:
        """Drop an outcome, so that a pass requests the URL again; return its status."""
        place = self.urls.place(url)
        if place is None:
            return None
        earlier = self._status(place)
        self._statuses[place], self._passes[place] = 0, min(number - 1, MAX_PASS)
        return earlier

    def due(self, number: int) -> Mask:
        """Return which URLs a pass must request: without an outcome, or with a passing failure.

        Parameters
        ----------
        number : int
            Number of the pass, from 1.
        """
        return _due(self._statuses, self._passes, number)

    def due_among(self, places: NDArray[np.uint32], number: int) -> Mask:
        """Return which of some places a pass must request; see `due`."""
        return _due(self._statuses[places], self._passes[places], number)

    def is_due(self, url: str, number: int) -> bool:
        """Return whether a pass must request a URL; see `due`."""
        place = self.urls.place(url)
        return place is not None and bool(_due(self._statuses[place], self._passes[place], number))

    def rows_of(self, places: NDArray[np.int64]) -> pa.Array:
        """Return the row numbers of places' last outcomes; null where there is none."""
        return pa.array(self._last[places], pa.int64(), mask=self._statuses[places] == 0)

    def outcome(self, url: str) -> FetchOutcome | None:
        """Return the outcome of a URL; None if there is none."""
        place = self.urls.place(url)
        if place is None or not self._statuses[place]:
            return None
        return self._rows.outcome(int(self._last[place]))

    def rows(self) -> pa.Table:
        """Return all outcomes, in columns of `outcome_rows.SCHEMA`, mapped from the disk."""
        return self._rows.table()

    def table(self) -> pa.Table:
        """Return all outcomes, mapped from the disk.

        Returns
        -------
        pa.Table
            See `outcome_rows.SCHEMA`; `last` says which row is its URL's last, `manifest` which is
            an earlier row of the manifest whose URL has got another since.
        """
        rows = self.rows()
        last, manifest = [], []
        for batch in rows.to_batches():
            places, numbers = (batch[name].to_numpy() for name in ("place", "row"))
            lasts = (self._last[places] == numbers) & (self._statuses[places] != 0)
            again = np.zeros(len(places), bool)
            if self._manifest is not None:
                again = (self._manifest[places] == numbers + 1) & ~lasts
            last.append(lasts)
            manifest.append(again)
        rows = rows.append_column("last", pa.chunked_array(last, pa.bool_()))
        return rows.append_column("manifest", pa.chunked_array(manifest, pa.bool_()))

    def _status(self, place: int) -> FetchStatus | None:
        code = int(self._statuses[place])
        return STATUSES[code - 1] if code else None


def _moment(finished: datetime | None) -> int:
    """Return microseconds since 1970; a time without a zone, as others write it, is in UTC."""
    if finished is None:
        return NEVER
    return ((finished if finished.tzinfo else finished.replace(tzinfo=UTC)) - EPOCH) // MICROSECOND


def _code(status: FetchStatus) -> int:
    return STATUSES.index(status) + 1


def _due(statuses: NDArray[np.uint8], passes: NDArray[np.uint16], number: int) -> Mask:
    if number == 1:
        return statuses == 0
    return (passes > 0) & (passes < number)
