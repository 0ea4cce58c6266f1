"""Digests of tables' values, which identify manifests, sets and jobs."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.fields import LATER, VOLATILE

Chunks = Callable[[], Iterable[pa.Array]]
"""Yields a column's values from the first, some rows at a time; may be called repeatedly."""

BYTE = 8
"""Rows whose validity bits make up a byte."""


def content_digest(table: pa.Table) -> str:
    """Hash a table's values, independent of chunks, dictionaries and buffers.

    Parameters
    ----------
    table : pa.Table
        The rows, whose order counts.

    Returns
    -------
    str
        SHA-256 over the names and values of all non-volatile columns, in hex.
    """
    return digest_of_columns(table.schema, table.num_rows, lambda name: table[name].chunks)


def digest_of_columns(
    schema: pa.Schema, rows: int, read: Callable[[str], Iterable[pa.Array]]
) -> str:
    """Hash the values of columns that need not fit in memory; see `content_digest`.

    Parameters
    ----------
    schema : pa.Schema
        The columns.
    rows : int
        Number of rows.
    read : callable
        `read(name)` yields a column's values, some rows at a time. It is called again for each part
        of them, because validity, lengths and text bytes are hashed one after another.

    Returns
    -------
    str
        See `content_digest`.
    """
    hasher = hashlib.sha256()
    for field in schema:
        chunks = partial(_plain, read, field.name)
        metadata = field.metadata or {}
        if VOLATILE in metadata or (LATER in metadata and _lacks_all(chunks)):
            continue
        hasher.update(f"{field.name}:{rows};".encode())
        coded = pa.types.is_dictionary(field.type)
        _update(hasher, chunks, field.type.value_type if coded else field.type)
    return hasher.hexdigest()


def _plain(read: Callable[[str], Iterable[pa.Array]], name: str) -> Iterator[pa.Array]:
    """Yield a column's chunks, decoded from dictionaries."""
    for chunk in read(name):
        yield chunk.dictionary_decode() if pa.types.is_dictionary(chunk.type) else chunk


def _lacks_all(chunks: Chunks) -> bool:
    return all(chunk.null_count == len(chunk) for chunk in chunks())


def _update(hasher: Any, chunks: Chunks, kind: pa.DataType) -> None:
    """Feed validity and values of a column to a hash; children of lists and structs follow."""
    _feed(hasher, _validity(chunks))
    if pa.types.is_list(kind):
        _feed(hasher, _lengths(chunks(), pc.list_value_length))
        _update(hasher, lambda: (chunk.flatten() for chunk in chunks()), kind.value_type)
    elif pa.types.is_struct(kind):
        for index in range(kind.num_fields):
            _update(hasher, partial(_children, chunks, index), kind.field(index).type)
    else:
        _feed(hasher, _values(chunks, kind))


def _children(chunks: Chunks, index: int) -> Iterator[pa.Array]:
    return (pc.struct_field(chunk, index) for chunk in chunks())


def _feed(hasher: Any, parts: Iterable[bytes | memoryview]) -> None:
    for part in parts:
        hasher.update(part)


def _validity(chunks: Chunks) -> Iterator[bytes]:
    """Yield one bit for each row: eight rows make a byte, across chunks."""
    rest = np.empty(0, bool)
    for chunk in chunks():
        bits = np.concatenate([rest, chunk.is_valid().to_numpy(zero_copy_only=False)])
        whole = len(bits) - len(bits) % BYTE
        yield np.packbits(bits[:whole]).tobytes()
        rest = bits[whole:]
    yield np.packbits(rest).tobytes()


def _values(chunks: Chunks, kind: pa.DataType) -> Iterator[bytes | memoryview]:
    """Yield the bytes of plain values; for texts, all lengths come before all text bytes."""
    present = (chunk.drop_null() for chunk in chunks())
    if pa.types.is_string(kind):
        yield from _lengths(chunks(), pc.binary_length)
        yield from map(_text_bytes, present)
    elif pa.types.is_fixed_size_binary(kind):
        yield from (b"".join(chunk.to_pylist()) for chunk in present)
    elif pa.types.is_primitive(kind) or pa.types.is_null(kind):
        yield from (chunk.to_numpy(zero_copy_only=False).tobytes() for chunk in present)
    else:
        raise TypeError(f"no digest is defined for values of type {kind}")


def _lengths(
    chunks: Iterable[pa.Array], measure: Callable[[pa.Array], pa.Array]
) -> Iterator[bytes]:
    for chunk in chunks:
        yield pc.fill_null(measure(chunk), 0).to_numpy(zero_copy_only=False).tobytes()


def _text_bytes(texts: pa.Array) -> memoryview:
    """Return the UTF-8 bytes of all texts, concatenated, without a copy."""
    _, offsets, content = texts.buffers()
    if content is None or not len(texts):
        return memoryview(b"")
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(content)[int(ends[0]) : int(ends[-1])]
