"""Detect the dialect of delimited text from its beginning."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from webemo_curate.config import ListingConfig
from webemo_curate.errors import InputError
from webemo_curate.sources.encodings import known_encoding, sample_text, tell_encoding
from webemo_curate.sources.source import unreadable

SAMPLE_BYTES: Final = 2**18
DELIMITERS: Final = ",\t;|"
MAX_COLUMNS = 2000
SEPARATOR: Final = re.compile(r"\s*sep=(.)", re.IGNORECASE)
"""Excel's own first line, which names the delimiter."""

PREAMBLE: Final = re.compile(r"(?:[ ]*(?:sep=.)?[ ]*\r?\n)+", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """The encoding, delimiter and header of a table.

    Attributes
    ----------
    encoding
        Python's name for it.
    delimiter
        The character between columns.
    header
        The names of the columns; an unnamed one is named by its position, from 0.
    first
        The row that names the columns, from 1; 0 if none does.
    """

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    first: int

    def told(self) -> str:
        """Describe the dialect in words."""
        between = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars"}
        unnamed = "" if self.first else f", {len(self.header)} columns without names"
        return f"{self.encoding}, {between.get(self.delimiter, repr(self.delimiter))}{unnamed}"


def tell_dialect(file: Path, config: ListingConfig) -> Dialect:
    """Detect how a table of delimited text is written.

    Parameters
    ----------
    file : Path
        The table; only its beginning is read.
    config : ListingConfig
        What the user says of encoding, delimiter and header, which is not questioned.

    Returns
    -------
    Dialect
        The encoding: by its byte order mark, as UTF-8 if the text is valid UTF-8, else by
        charset-normalizer, if what it leaves reads the same. The delimiter: by Excel's line `sep=`,
        else by how Python's csv module splits the lines with each candidate. And the header: the
        first row that is not blank, unless the user says that there is none.

    Raises
    ------
    InputError
        If the table is empty, or its encoding or columns cannot be detected.
    """
    try:
        with file.open("rb") as stream:
            sample = stream.read(SAMPLE_BYTES)
    except OSError as error:
        raise unreadable(file, error) from error
    if not sample.strip():
        raise InputError(f"{file}: the table is empty; its first line must name the columns")
    encoding = (
        known_encoding(file, config.encoding) if config.encoding else tell_encoding(file, sample)
    )
    before, text = _without_preamble(sample_text(sample, encoding))
    said = SEPARATOR.match(before)
    delimiter = config.delimiter or (said[1] if said else _delimiter(file, text))
    names = [name.strip() for name in _records(text, delimiter, 1)[0]]
    if len(names) > MAX_COLUMNS:
        raise InputError(f"{file}:1: {len(names)} columns; is '{delimiter}' its --delimiter?")
    if config.no_header:
        return Dialect(encoding, delimiter, tuple(map(str, range(len(names)))), 0)
    first = before.count("\n") + 1
    _check_names(file, first, names)
    header = tuple(name or str(number) for number, name in enumerate(names))
    return Dialect(encoding, delimiter, header, first)


def _without_preamble(text: str) -> tuple[str, str]:
    """Part off blank lines and Excel's `sep=` before the first row."""
    before = PREAMBLE.match(text)
    end = before.end() if before else 0
    return text[:end], text[end:]


def _check_names(file: Path, row: int, names: Sequence[str]) -> None:
    """Raise if a row that should name the columns holds a URL."""
    for number, name in enumerate(names):
        if name.lower().startswith(("http://", "https://")):
            raise InputError(
                f"{file}:{row}: the first line has a URL; add a line with the columns' names, or "
                f"give --no-header --url-column {number}, and --label-column by its position from 0"
            )


def _delimiter(file: Path, text: str) -> str:
    """Return the delimiter that gives most lines as many columns as the first (two or more)."""
    widths: dict[str, int] = {}
    for mark in DELIMITERS:
        records = [record for record in _records(text, mark, 200) if record]
        counts = Counter(map(len, records))
        if records and len(records[0]) > 1 and counts[len(records[0])] * 2 >= len(records):
            widths[mark] = len(records[0])
    if widths:
        return max(widths, key=lambda mark: widths[mark])
    if "\n" in text and not any(mark in text.partition("\n")[0] for mark in DELIMITERS):
        return ","  # one column
    raise InputError(f"{file}:1: the mark between its columns cannot be told; give --delimiter")


def _records(text: str, delimiter: str, most: int) -> list[list[str]]:
    records: list[list[str]] = []
    with suppress(csv.Error):  # an unclosed field: the fields before it count
        for record in islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), most):
            records.append(record)  # noqa: PERF402 - what came before an error stays
    return records or [[]]
