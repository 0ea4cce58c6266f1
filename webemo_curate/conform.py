"""Bring tables into their manifest's form: cast columns, sort rows, drop empty later columns."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.fields import LATER
from webemo_curate.schemas import NULLABLE_WHERE_NEEDED, SCHEMAS, SORT_KEYS


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Cast a table to a schema, including column order and metadata.

    Parameters
    ----------
    table : pa.Table
        A table with the schema's columns. Columns declared `later` may be missing; unknown columns
        are an error.
    schema : pa.Schema
        The schema.

    Returns
    -------
    pa.Table
        The cast table, with one chunk for each column.

    Raises
    ------
    ValueError
        If columns differ, a value cannot be cast, or a null occurs where none is allowed.
    """
    table = conform_chunks(table, schema)
    arrays = [column.combine_chunks() for column in table.columns]
    return pa.Table.from_arrays(arrays, schema=schema)


def conform_chunks(table: pa.Table, schema: pa.Schema, *, narrow: bool = False) -> pa.Table:
    """Cast a table as `conform` does, but keep its chunks, so that it need not fit in memory.

    Parameters
    ----------
    table : pa.Table
        See `conform`.
    schema : pa.Schema
        The schema.
    narrow : bool, default False
        Whether codes of dictionaries are as short as their number allows: a quarter of the
        memory. See `row_groups`.

    Returns
    -------
    pa.Table
        The cast table; columns that already have their type are not copied.

    Raises
    ------
    ValueError
        As raised by `conform`.
    """
    for field in schema:
        if LATER in (field.metadata or {}) and field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    if set(table.column_names) != set(schema.names):
        missing = sorted(set(schema.names) - set(table.column_names))
        unknown = sorted(set(table.column_names) - set(schema.names))
        raise ValueError(f"columns missing: {missing}, unknown: {unknown}")
    arrays = [_cast(table.column(field.name), field, narrow=narrow) for field in schema]
    fields = [field.with_type(array.type) for field, array in zip(schema, arrays, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, schema.metadata))


def in_form(name: str, table: pa.Table) -> pa.Table:
    """Bring rows into a manifest's form, but with short codes; see `conform_chunks`.

    Parameters
    ----------
    name : str
        Name of the manifest, a key of `SCHEMAS`.
    table : pa.Table
        Its rows, in any order.

    Returns
    -------
    pa.Table
        The columns to write; `row_groups` gives their codes the manifest's types.
    """
    return as_written(name, sort_rows(name, conform_chunks(table, SCHEMAS[name], narrow=True)))


def in_full(narrow: pa.Schema, schema: pa.Schema) -> pa.Schema:
    """Return the columns of a table with short codes, in a schema's types."""
    return pa.schema([field.with_type(schema.field(field.name).type) for field in narrow])


def row_groups(table: pa.Table, schema: pa.Schema, rows: int) -> Iterator[pa.Table]:
    """Yield a table with short codes in parts, whose codes have the types of a schema.

    Parameters
    ----------
    table : pa.Table
        As `conform_chunks` makes it.
    schema : pa.Schema
        See `in_full`.
    rows : int
        Rows of a part.

    Yields
    ------
    pa.Table
        The rows in their order; of a table without rows one part, without rows.
    """
    for start in range(0, max(1, table.num_rows), rows):
        columns = [
            _widened(column, field.type) if pa.types.is_dictionary(field.type) else column
            for column, field in zip(table.slice(start, rows).columns, schema, strict=True)
        ]
        yield pa.Table.from_arrays(columns, schema=schema)


def as_written(name: str, table: pa.Table) -> pa.Table:
    """Drop `later` columns without values, and declare columns without nulls as such.

    Parameters
    ----------
    name : str
        Name of the manifest, a key of `SCHEMAS`.
    table : pa.Table
        Its rows, in the manifest's schema.

    Returns
    -------
    pa.Table
        The columns to write to the file.
    """
    loose = NULLABLE_WHERE_NEEDED.get(name, frozenset())
    fields, arrays = [], []
    for field, values in zip(table.schema, table.columns, strict=True):
        missing = values.null_count
        if LATER in field.metadata and missing == table.num_rows:
            continue
        fields.append(field.with_nullable(missing > 0) if field.name in loose else field)
        arrays.append(values)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def sort_rows(name: str, table: pa.Table) -> pa.Table:
    """Sort a manifest's rows into the order of its file.

    Parameters
    ----------
    name : str
        Name of the manifest, a key of `SCHEMAS`.
    table : pa.Table
        Its rows, in any order.

    Returns
    -------
    pa.Table
        The same rows, sorted by the manifest's keys.
    """
    keys = SORT_KEYS.get(name, ("sha256",))
    plain = pa.table({key: _decoded(table.column(key)) for key in keys})
    if _ascends(plain):
        return table
    order = pc.sort_indices(plain, sort_keys=[(key, "ascending") for key in keys])
    return conform(table.take(order), table.schema)


def _ascends(keys: pa.Table) -> bool:
    """Return whether rows are already sorted, checked batch by batch; missing values come last."""
    last = keys.slice(0, 0)
    for batch in filter(len, keys.to_batches()):
        rows = pa.concat_tables([last, pa.Table.from_batches([batch])]).combine_chunks()
        before, after = rows.slice(0, rows.num_rows - 1), rows.slice(1)
        comes: Any = True
        for name in reversed(keys.column_names):
            low, high = before[name], after[name]
            missing = pc.is_null(high)
            less = pc.or_(
                pc.fill_null(pc.less(low, high), False), pc.greater(missing, pc.is_null(low))
            )
            equal = pc.fill_null(pc.equal(low, high), pc.and_(missing, pc.is_null(low)))
            comes = pc.or_(less, pc.and_(equal, comes))
        if not pc.all(comes).as_py():
            return False
        last = rows.slice(rows.num_rows - 1)
    return True


def _cast(values: pa.ChunkedArray, field: pa.Field, *, narrow: bool) -> pa.ChunkedArray:
    plain = _decoded(values)
    if plain.null_count and not field.nullable:
        raise ValueError(f"column '{field.name}' has {plain.null_count} nulls and may have none")
    if not pa.types.is_dictionary(field.type):
        return plain.cast(field.type)
    plain = plain.cast(field.type.value_type)
    # A sorted dictionary makes the file's bytes independent of the order in which rows came.
    categories = pc.unique(plain).drop_null().sort()
    codes = _shortest(len(categories)) if narrow else field.type.index_type
    coded = [
        pa.DictionaryArray.from_arrays(pc.index_in(chunk, categories).cast(codes), categories)
        for chunk in plain.chunks
    ]
    return pa.chunked_array(coded, pa.dictionary(codes, field.type.value_type))


def _shortest(count: int) -> pa.DataType:
    """Return the shortest type that tells so many values apart by numbers from zero."""
    signed = (pa.int8(), pa.int16())
    return next((kind for kind in signed if count <= 2 ** (kind.bit_width - 1)), pa.int32())


def _widened(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    coded = [
        pa.DictionaryArray.from_arrays(chunk.indices.cast(kind.index_type), chunk.dictionary)
        for chunk in values.chunks
    ]
    return pa.chunked_array(coded, kind)


def _decoded(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
