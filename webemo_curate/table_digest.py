"""The digest of a table's values, by which manifests, sets and jobs are told apart."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from webemo_curate.fields import LATER, VOLATILE


def content_digest(table: pa.Table) -> str:
    """Hash a table's values, whatever their chunks, dictionaries or buffers.

    Parameters
    ----------
    table : pa.Table
        The rows, in the order that counts.

    Returns
    -------
    str
        SHA-256 over names and values of all non-volatile columns, in hex.
    """
    hasher = hashlib.sha256()
    for field, values in zip(table.schema, table.columns, strict=True):
        metadata = field.metadata or {}
        unused = LATER in metadata and values.null_count == table.num_rows
        if VOLATILE not in metadata and not unused:
            hasher.update(f"{field.name}:{table.num_rows};".encode())
            _update(hasher, _plain(values))
    return hasher.hexdigest()


def _update(hasher: Any, chunks: Sequence[pa.Array]) -> None:
    """Feed validity and values of a column, children of lists and structs in turn."""
    kind = chunks[0].type if chunks else pa.null()
    hasher.update(np.packbits(_joined(chunk.is_valid() for chunk in chunks)).tobytes())
    if pa.types.is_list(kind):
        _feed(hasher, _lengths(chunks, pc.list_value_length))
        _update(hasher, [chunk.flatten() for chunk in chunks])
    elif pa.types.is_struct(kind):
        for index in range(kind.num_fields):
            _update(hasher, [pc.struct_field(chunk, index) for chunk in chunks])
    else:
        _feed(hasher, _values(chunks, kind))


def _feed(hasher: Any, parts: Iterable[bytes | memoryview]) -> None:
    for part in parts:
        hasher.update(part)


def _values(chunks: Sequence[pa.Array], kind: pa.DataType) -> Iterator[bytes | memoryview]:
    """Yield the bytes of plain values; of texts all lengths go before all letters."""
    present = (chunk.drop_null() for chunk in chunks)
    if pa.types.is_string(kind):
        yield from _lengths(chunks, pc.binary_length)
        yield from map(_text_bytes, present)
    elif pa.types.is_fixed_size_binary(kind):
        yield from (b"".join(chunk.to_pylist()) for chunk in present)
    elif pa.types.is_primitive(kind) or pa.types.is_null(kind):
        yield from (chunk.to_numpy(zero_copy_only=False).tobytes() for chunk in present)
    else:
        raise TypeError(f"no digest is defined for values of type {kind}")


def _plain(values: pa.ChunkedArray) -> list[pa.Array]:
    """Return a column's chunks, values in the place of dictionary codes."""
    coded = pa.types.is_dictionary(values.type)
    return (values.cast(values.type.value_type) if coded else values).chunks


def _joined(parts: Iterable[pa.Array]) -> NDArray[np.bool_]:
    """Join the validity of chunks: eight rows make a byte, whatever chunk they stand in."""
    arrays = [part.to_numpy(zero_copy_only=False) for part in parts]
    return np.concatenate([np.empty(0, bool), *arrays])


def _lengths(
    chunks: Iterable[pa.Array], measure: Callable[[pa.Array], pa.Array]
) -> Iterator[bytes]:
    for chunk in chunks:
        yield pc.fill_null(measure(chunk), 0).to_numpy(zero_copy_only=False).tobytes()


def _text_bytes(texts: pa.Array) -> memoryview:
    """Return the UTF-8 bytes of all texts, one after another, without a copy."""
    _, offsets, content = texts.buffers()
    if content is None or not len(texts):
        return memoryview(b"")
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(content)[int(ends[0]) : int(ends[-1])]
