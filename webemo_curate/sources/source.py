"""The protocol of a source: a list, a table or a folder that yields listing rows in batches."""

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
"""Columns that a source yields: the listing's, without the source's name and the label's groups."""

BATCH_ROWS = 16_384
SHOWN_ROWS = 5
"""Most rows named for each reason."""

logger = logging.getLogger(__name__)


@dataclass
class BadRows:
    """How to treat rows without a usable picture, and how many there were.

    Attributes
    ----------
    skip
        Whether to count and skip them; else the first one ends the run.
    found
        Rows by source and reason.
    """

    skip: bool
    found: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def take(self, place: Path, row: int, column: str | None, what: str, remedy: str) -> str:
        """Record a bad row.

        Parameters
        ----------
        place : Path
            The list, table or folder.
        row : int
            The row's number there.
        column : str or None
            The column at fault, if it is a single one.
        what : str
            What is wrong, as a predicate about the value or the row.
        remedy : str
            What to do.

        Returns
        -------
        str
            The reason, for the listing.

        Raises
        ------
        InputError
            If bad rows are not to be skipped.
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
        """Log how many rows were skipped, by reason."""
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
        Columns, limits and policies.
    labels
        Turns cells into labels.
    bad
        Records bad rows.
    """

    config: ListingConfig
    labels: LabelReader
    bad: BadRows


Picture = tuple[str, Path | bytes | None]
"""A row's `file`, and its picture: a path, its bytes, or None if it is missing."""


class Source(Protocol):
    """A list, a table or a folder.

    Attributes
    ----------
    place
        Its path.
    name
        Its name in the listing's `source` column; unique within a listing.
    root
        The folder that must hold its files.
    """

    @property
    def place(self) -> Path:
        """Its path."""

    @property
    def name(self) -> str:
        """Its name in the listing's `source` column; unique within a listing."""

    @property
    def root(self) -> Path:
        """The folder that must hold its local files."""

    def digest(self) -> str:
        """Return the SHA-256, in hex, of everything that determines its rows."""

    def batches(self, reading: ReadOptions) -> Iterator[pa.RecordBatch]:
        """Yield its rows in order, schema `ROWS`, in bounded memory.

        Raises
        ------
        InputError
            If its content does not match its form, or a row is malformed and bad rows end the run.
        """

    def pictures(self, files: Iterable[str]) -> Iterator[Picture]:
        """Yield the pictures of the rows with these `file` values, each once, in any order."""


def unreadable(file: Path, error: OSError) -> InputError:
    """Return the error of an unreadable file; raise if the machine is at fault."""
    raise_system_fault(error, str(file))
    reason = error.strerror or "it is no regular file, but a pipe or a device"
    return InputError(f"{file}: cannot be read: {reason}")
