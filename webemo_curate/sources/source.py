"""The protocol of a source: a list, a table or a folder that gives listing rows in batches."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import pyarrow as pa

from webemo_curate.config import ListingConfig
from webemo_curate.errors import InputError
from webemo_curate.sources.labels import LabelReader
from webemo_curate.system_faults import raise_system_fault

ROWS: Final = pa.schema(
    [
        pa.field("line", pa.int32()),
        pa.field("url", pa.string()),
        pa.field("asset_id", pa.string()),
        pa.field("label", pa.string()),
        pa.field("official_split", pa.string()),
        pa.field("file", pa.string()),
        pa.field("group", pa.string()),
        pa.field("row_id", pa.string()),
        pa.field("problem", pa.string()),
    ]
)
"""What a source gives; the listing's columns without the source's name and the label's groups."""

BATCH_ROWS = 16_384
SHOWN_ROWS = 5
"""Rows named for each reason."""

logger = logging.getLogger(__name__)


@dataclass
class BadRows:
    """The policy for rows that are no picture, and how many there were.

    Attributes
    ----------
    skip
        Whether they are counted and left; else the first ends the run.
    found
        Rows of each source and reason.
    """

    skip: bool
    found: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def take(self, place: Path, row: int, column: str | None, what: str, remedy: str) -> str:
        """Take note of a bad row.

        Parameters
        ----------
        place : Path
            The list, table or folder.
        row : int
            Its number there.
        column : str or None
            The column at fault, if it is one's.
        what : str
            What is wrong, as a sentence about the value or the row.
        remedy : str
            What to do.

        Returns
        -------
        str
            The reason, for the listing.

        Raises
        ------
        InputError
            If bad rows are not skipped.
        """
        where = f"column '{column}' " if column else "the row "
        if not self.skip:
            raise InputError(
                f"{place}:{row}: {where}{what}; {remedy}, or count such rows as bad_row with "
                "--on-bad-row skip"
            )
        reason = f"{where}{what}"
        key = (str(place), reason)
        self.counts[key] += 1
        rows = self.found.setdefault(key, [])
        if len(rows) < SHOWN_ROWS:
            rows.append(row)
        return reason

    def tell(self) -> None:
        """Say how many rows were skipped, by reason."""
        for (place, reason), count in self.counts.most_common():
            rows = ", ".join(map(str, self.found[place, reason]))
            logger.info("%s: %d bad rows: %s (row %s%s)", place, count, reason, rows, _more(count))


def _more(count: int) -> str:
    return ", ..." if count > SHOWN_ROWS else ""


@dataclass(frozen=True)
class ReadOptions:
    """The options for reading sources.

    Attributes
    ----------
    config
        Columns, bounds, policies.
    labels
        Makes labels of what rows hold.
    bad
        Takes the rows that are no picture.
    """

    config: ListingConfig
    labels: LabelReader
    bad: BadRows


Picture = tuple[str, Path | bytes | None]
"""A row's `file`, and where its picture is: a file, bytes, or None if there is none."""


class Source(Protocol):
    """A list, a table or a folder.

    Attributes
    ----------
    place
        Where it lies.
    name
        What the listing's `source` holds; unique among the sources of a listing.
    root
        The folder that its files must be in.
    """

    @property
    def place(self) -> Path:
        """Where it lies."""

    @property
    def name(self) -> str:
        """What the listing's `source` holds; unique among the sources of a listing."""

    @property
    def root(self) -> Path:
        """The folder that its local files are in."""

    def digest(self) -> str:
        """Return the SHA-256 of what its rows are made of, in hex."""

    def batches(self, reading: ReadOptions) -> Iterator[pa.RecordBatch]:
        """Yield its rows in order, schema `ROWS`; memory does not grow with their number.

        Raises
        ------
        InputError
            If it is not what it seems, or a row is malformed and that is to end the run.
        """

    def pictures(self, files: Iterable[str]) -> Iterator[Picture]:
        """Yield the pictures of rows, given their `file`, in any order; each once."""


def unreadable(file: Path, error: OSError) -> InputError:
    """Return the error that a file cannot be read; raise the machine's own."""
    raise_system_fault(error, str(file))
    reason = error.strerror or "it is no regular file, but a pipe or a device"
    return InputError(f"{file}: cannot be read: {reason}")
