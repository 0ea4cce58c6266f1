"""The digest of a table's values, by which manifests, sets and jobs are told apart."""

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
            _update(hasher, values)
    return hasher.hexdigest()


def _update(hasher: Any, values: pa.ChunkedArray | pa.Array) -> None:
    """Feed validity and values of a column, children of lists and structs in turn."""
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    hasher.update(np.packbits(array.is_valid().to_numpy(zero_copy_only=False)).tobytes())
    if pa.types.is_list(array.type):
        lengths = pc.fill_null(pc.list_value_length(array), 0)
        hasher.update(lengths.to_numpy(zero_copy_only=False).tobytes())
        _update(hasher, array.flatten())
    elif pa.types.is_struct(array.type):
        for index in range(array.type.num_fields):
            _update(hasher, pc.struct_field(array, index))
    elif pa.types.is_string(array.type):
        lengths = pc.fill_null(pc.binary_length(array), 0)
        hasher.update(lengths.to_numpy(zero_copy_only=False).tobytes())
        hasher.update(_text_bytes(array.drop_null()))
    elif pa.types.is_fixed_size_binary(array.type):
        hasher.update(b"".join(array.drop_null().to_pylist()))
    elif not pa.types.is_primitive(array.type):
        raise TypeError(f"no digest is defined for values of type {array.type}")
    else:
        hasher.update(array.drop_null().to_numpy(zero_copy_only=False).tobytes())


def _text_bytes(texts: pa.Array) -> memoryview:
    """Return the UTF-8 bytes of all texts, one after another, without a copy."""
    _, offsets, content = texts.buffers()
    if content is None or not len(texts):
        return memoryview(b"")
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(content)[int(ends[0]) : int(ends[-1])]
