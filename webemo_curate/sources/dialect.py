"""Detect the encoding and dialect of delimited text from its beginning, and report them."""

import codecs
import csv
import io
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from webemo_curate.errors import InputError
from webemo_curate.sources.source import logger, unreadable

SAMPLE_BYTES: Final = 2**18
DELIMITERS: Final = ",\t;|"
MAX_COLUMNS = 2000

MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; UTF-32's come first, because they begin like UTF-16's."""


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
        The names of the columns.
    """

    encoding: str
    delimiter: str
    header: tuple[str, ...]

    def told(self) -> str:
        """Describe the dialect in words."""
        between = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars"}
        return f"{self.encoding}, {between.get(self.delimiter, repr(self.delimiter))}"


def tell_dialect(file: Path, encoding: str | None, delimiter: str | None) -> Dialect:
    """Detect how a table of delimited text is written.

    Parameters
    ----------
    file : Path
        The table; only its beginning is read.
    encoding, delimiter : str, optional
        What the user says, which is not questioned.

    Returns
    -------
    Dialect
        The encoding: by its byte order mark, as UTF-8 if the text is valid UTF-8, else by
        charset-normalizer. The delimiter: by how Python's csv module splits the lines with each
        candidate. And the header.

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
    encoding = _checked(file, encoding) if encoding else _encoding(file, sample)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample).removeprefix("\ufeff")
    delimiter = delimiter or _delimiter(file, text)
    header = tuple(name.strip() for name in _records(text, delimiter, 1)[0])
    if len(header) > MAX_COLUMNS:
        raise InputError(f"{file}:1: {len(header)} columns; is '{delimiter}' its --delimiter?")
    if any(name.lower().startswith(("http://", "https://")) for name in header):
        raise InputError(f"{file}:1: the first line has a URL; add a line with the columns' names")
    return Dialect(encoding, delimiter, header)


def _checked(file: Path, encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise InputError(f"{file}: --encoding {encoding}: no encoding has this name") from error


def _encoding(file: Path, sample: bytes) -> str:
    for mark, name in MARKS:
        if sample.startswith(mark):
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    if best is None:
        raise InputError(
            f"{file}: its encoding cannot be told; save it as UTF-8 or give --encoding"
        )
    logger.warning(
        "%s: is not UTF-8; by its signs it is %s: where names look wrong give --encoding",
        file,
        best.encoding,
    )
    return best.encoding


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
