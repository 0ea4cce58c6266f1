"""Hold the pages of a Parquet file against their checksums, without decoding them.

An engine that reads such a file itself may not look at them. Numbers of fields are those of the
Parquet project's `parquet.thrift`.
"""

import os
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

from webemo_curate.parquet import CHUNK_BYTES, ENDING_BYTES, read_footer
from webemo_curate.rooted import open_regular
from webemo_curate.thrift_values import read_structure

HEADER_BYTES: Final = 2**15
"""Most bytes of a page's header; two values of a column, the least and the largest, are in it."""

ROW_GROUPS, COLUMNS, COLUMN = 4, 1, 3
"""Fields of the footer, of a row group in it, and of a column there."""

NAMES, BYTES, DATA, DICTIONARY, STATISTICS, NULLS = 3, 7, 9, 11, 12, 3
"""Fields of what the footer says of a column in a row group, and of the statistics there."""

PAGE_BYTES, CHECKSUM = 3, 4
"""Fields of the header of a page."""

FOOTERS: Final = 8
"""How many files' columns are kept at hand: most are looked at twice, and no stage reads more."""


@dataclass(frozen=True)
class ColumnChunk:
    """Where the pages of a column in a row group lie in the file.

    Attributes
    ----------
    column
        The column's name; parts of one column have the same.
    start, end
        Place of the first byte, and of the first that is none of them.
    nulls
        How many values are missing; None if that is not said.
    """

    column: str
    start: int
    end: int
    nulls: int | None

    @classmethod
    def of(cls, said: dict[int, Any]) -> Self:
        """Return what the footer says of a column."""
        start: int = min(said[DATA], said.get(DICTIONARY, said[DATA]))
        nulls = said.get(STATISTICS, {}).get(NULLS)
        return cls(said[NAMES][0].decode(), start, start + said[BYTES], nulls)


def column_chunks(path: Path) -> tuple[ColumnChunk, ...]:
    """Return where the pages of each column lie, row group after row group.

    Parameters
    ----------
    path : Path
        A Parquet file.

    Returns
    -------
    tuple of ColumnChunk
        As its footer says, which anyone may have written.

    Raises
    ------
    OSError, ValueError
        If it is not a Parquet file, or its sealed footer has changed.
    """
    with open_regular(path) as stream:
        return _chunks(read_footer(stream)[:-ENDING_BYTES])


@lru_cache(maxsize=FOOTERS)
def _chunks(footer: bytes) -> tuple[ColumnChunk, ...]:
    try:
        groups = read_structure(footer)[0][ROW_GROUPS]
        return tuple(ColumnChunk.of(each[COLUMN]) for group in groups for each in group[COLUMNS])
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError("its footer does not say where its pages lie") from error


def are_whole(path: Path, columns: Collection[str]) -> bool:
    """Return whether all pages of some columns have checksums, and are as they were written.

    Parameters
    ----------
    path : Path
        A Parquet file.
    columns : collection of str
        The columns to look at; those the file lacks are passed over.

    Returns
    -------
    bool
        False too if the bytes between the pages are no headers of pages.

    Raises
    ------
    OSError, ValueError
        As raised by `column_chunks`.
    """
    chunks = [chunk for chunk in column_chunks(path) if chunk.column in columns]
    with open_regular(path) as stream:
        size = stream.seek(0, os.SEEK_END)
        return all(0 <= chunk.start <= chunk.end <= size for chunk in chunks) and all(
            checksum == written
            for chunk in chunks
            for checksum, written in _checksums(stream, chunk.start, chunk.end)
        )


def _checksums(stream: BinaryIO, start: int, end: int) -> Iterator[tuple[int | None, int]]:
    """Yield the checksum of each page in a file, and that in its header; None if it has no page."""
    while start < end:
        stream.seek(start)
        try:
            said, size = read_structure(stream.read(HEADER_BYTES))
            length, written = int(said[PAGE_BYTES]), int(said[CHECKSUM])
        except (LookupError, ValueError, TypeError):
            yield None, 0
            return
        start += size
        if not 0 <= length <= end - start:
            yield None, 0
            return
        yield _checksum(stream, start, length), written % 2**32
        start += length


def _checksum(stream: BinaryIO, start: int, length: int) -> int:
    stream.seek(start)
    checksum, left = 0, length
    while left and (part := stream.read(min(left, CHUNK_BYTES))):
        checksum = zlib.crc32(part, checksum)
        left -= len(part)
    return checksum
