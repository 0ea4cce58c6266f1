"""Parquet files with page checksums; manifests have a seal as well.

Without checksums a flipped bit silently changes values, because compressed pages of numbers decode
whatever they hold. Parquet has no checksums for what describes the pages: the headers before them,
and the footer with types, statistics and metadata. A sealed file has digests of both between its
last page and its footer, where readers that do not know the seal never look.
"""

import hashlib
import os
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from webemo_curate.rooted import open_regular
from webemo_curate.system_faults import within_free_memory

SEAL = b"webemo_curate.seal"
"""First bytes of a seal. Two digests follow: of everything before it, and of the seal with the
footer."""

SCHEMA_KEY = b"ARROW:schema"
"""Metadata key under which pyarrow stores the types of the columns, and all metadata once more."""

DIGEST_BYTES = 32
SEAL_BYTES = len(SEAL) + 2 * DIGEST_BYTES
ENDING_BYTES = 8
"""A file ends with the footer's length in four bytes, least significant first, and four letters."""

FOOTER_GUESS = 65_536
"""Bytes of a file's end that are read first; few footers are longer."""

CHUNK_BYTES = 2**18
"""Bytes read at a time, of a file that is hashed or of a column that is read in batches."""


def write_parquet(table: pa.Table, path: Path, **options: Any) -> None:
    """Write a table with zstd compression.

    Parameters
    ----------
    table : pa.Table
        The rows.
    path : Path
        The file.
    **options : Any
        Passed on to `pyarrow.parquet.write_table`.
    """
    pq.write_table(table, path, compression="zstd", write_page_checksum=True, **options)


@contextmanager
def pages_written(
    groups: Iterable[pa.Table], schema: pa.Schema, path: Path
) -> Iterator[Callable[[dict[bytes, bytes]], None]]:
    """Write row groups, and let its metadata follow, which is found while its pages are written.

    The bytes are those of `write_parquet` and a table that has the metadata.

    Parameters
    ----------
    groups : iterable of pa.Table
        The rows, one row group each; at least one, which may be empty.
    schema : pa.Schema
        Of all groups.
    path : Path
        The file.

    Yields
    ------
    callable
        Takes the metadata, when the pages are written; the file is complete after the block.
    """
    plain = schema.remove_metadata()

    def describe(metadata: dict[bytes, bytes]) -> None:
        stored = schema.with_metadata(metadata).serialize()
        writer.add_key_value_metadata(metadata | {SCHEMA_KEY: b64encode(stored)})

    with pq.ParquetWriter(
        path, plain, compression="zstd", write_page_checksum=True, store_schema=False
    ) as writer:
        for group in groups:
            writer.write_table(group.cast(plain), len(group) or None)
        yield describe


def read_parquet(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a file, or some of its columns.

    Parameters
    ----------
    path : Path
        The file.
    columns : list of str, optional
        The columns to read; by default all.

    Returns
    -------
    pa.Table
        The table as written.

    Raises
    ------
    OSError, ValueError, pa.ArrowException
        If it is not a Parquet file, or a page's checksum or the sealed footer's digest differs.
    SystemFaultError
        If its rows take more memory than is free.
    """
    with open_regular(path) as stream:
        read_footer(stream)
    with within_free_memory(str(path)):
        return pq.read_table(
            path, columns=columns, partitioning=None, page_checksum_verification=True
        )


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a file to read in batches; the errors of `read_parquet` come here or with a batch.

    Each column is read some bytes at a time: read ahead, a row group of a manifest would take a
    hundred megabytes.
    """
    with open_regular(path) as stream:
        read_footer(stream)
    return pq.ParquetFile(
        path, page_checksum_verification=True, pre_buffer=False, buffer_size=CHUNK_BYTES
    )


def seal(path: Path) -> None:
    """Insert digests of all that a file holds before its footer; see `is_sealed`.

    Parameters
    ----------
    path : Path
        A Parquet file without a seal.
    """
    with path.open("r+b") as stream:
        size = stream.seek(0, os.SEEK_END)
        footer = read_footer(stream)
        pages = _digest_up_to(stream, size - len(footer))
        stream.seek(size - len(footer))
        stream.write(SEAL + pages + _footer_digest(pages, footer) + footer)


def is_sealed(path: Path) -> bool:
    """Return whether a file has a seal and every byte is as it was sealed.

    Parameters
    ----------
    path : Path
        A Parquet file.

    Returns
    -------
    bool
        False if any bit has changed, or there is no seal.
    """
    with open_regular(path) as stream:
        size = stream.seek(0, os.SEEK_END)
        try:
            sealed = len(read_footer(stream)) + SEAL_BYTES
        except ValueError:
            return False
        stream.seek(max(0, size - sealed))  # a footer may claim to be longer than the file
        found = stream.read(SEAL_BYTES)
        return found.startswith(SEAL) and _digest_up_to(stream, size - sealed) == _pages_of(found)


def read_footer(stream: BinaryIO | pa.NativeFile) -> bytes:
    """Read the footer of a Parquet file in one request, or in two if it is long.

    Parameters
    ----------
    stream : file
        The file, open for reading.

    Returns
    -------
    bytes
        The end of the file, which `pyarrow.parquet.read_metadata` can read like the whole file.

    Raises
    ------
    ValueError
        If the file is sealed and its footer has changed.
    """
    end = _end(stream, FOOTER_GUESS)
    length = int.from_bytes(end[-ENDING_BYTES:][:4], "little") + ENDING_BYTES
    if len(end) < length + SEAL_BYTES:
        end = _end(stream, length + SEAL_BYTES)
    footer, found = end[-length:], end[-length - SEAL_BYTES : -length]
    if found.startswith(SEAL) and found[-DIGEST_BYTES:] != _footer_digest(_pages_of(found), footer):
        raise ValueError("its footer has been changed since it was written")
    return footer


def _end(stream: BinaryIO | pa.NativeFile, length: int) -> bytes:
    """Read the last bytes of a file, or all of a shorter one."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - length))
    content: bytes = stream.read(min(size, length))
    return content


def _pages_of(found: bytes) -> bytes:
    """Return the first digest of a seal, that of all pages with their headers."""
    return found[len(SEAL) : len(SEAL) + DIGEST_BYTES]


def _footer_digest(pages: bytes, footer: bytes) -> bytes:
    return hashlib.sha256(pages + footer).digest()


def _digest_up_to(stream: BinaryIO, end: int) -> bytes:
    hasher, left = hashlib.sha256(), end
    stream.seek(0)
    while left > 0 and (chunk := stream.read(min(CHUNK_BYTES, left))):
        hasher.update(chunk)
        left -= len(chunk)
    return hasher.digest()
