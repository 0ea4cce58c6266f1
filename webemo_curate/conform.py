"""Tables in the form of their manifest: columns cast, rows in order, later columns left out."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.fields import LATER
from webemo_curate.schemas import NULLABLE_WHERE_NEEDED, SORT_KEYS


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Cast a table to a schema, column order and metadata included.

    Parameters
    ----------
    table : pa.Table
        Any table with the schema's columns, of which later ones may be missing; further columns
        are an error.
    schema : pa.Schema
        The wanted schema.

    Returns
    -------
    pa.Table
        The cast table, one chunk a column.

    Raises
    ------
    ValueError
        If columns differ, a value cannot be cast or a null stands where none may.
    """
    table = conform_chunks(table, schema)
    arrays = [column.combine_chunks() for column in table.columns]
    return pa.Table.from_arrays(arrays, schema=schema)


def conform_chunks(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Cast a table as `conform` does and leave its chunks as they are: it need not fit in memory.

    Parameters
    ----------
    table : pa.Table
        As for `conform`.
    schema : pa.Schema
        The wanted schema.

    Returns
    -------
    pa.Table
        The cast table; what has its type already is not copied.

    Raises
    ------
    ValueError
        As of `conform`.
    """
    for field in schema:
        if LATER in (field.metadata or {}) and field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    if set(table.column_names) != set(schema.names):
        missing = sorted(set(schema.names) - set(table.column_names))
        unknown = sorted(set(table.column_names) - set(schema.names))
        raise ValueError(f"columns missing: {missing}, unknown: {unknown}")
    arrays = [_cast(table.column(field.name), field) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def as_written(name: str, table: pa.Table) -> pa.Table:
    """Leave out later columns without a value, and declare what no row lacks as always there.

    Parameters
    ----------
    name : str
        Which manifest it is, a key of `SCHEMAS`.
    table : pa.Table
        Its rows, in the manifest's schema.

    Returns
    -------
    pa.Table
        The columns that its file gets.
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
    """Return a manifest's rows in the order that files have them in.

    Parameters
    ----------
    name : str
        Which manifest it is, a key of `SCHEMAS`.
    table : pa.Table
        Its rows, in any order.

    Returns
    -------
    pa.Table
        The same rows, ordered by the manifest's keys.
    """
    keys = SORT_KEYS.get(name, ("sha256",))
    plain = pa.table({key: _decoded(table.column(key)) for key in keys})
    if _ascends(plain):
        return table
    order = pc.sort_indices(plain, sort_keys=[(key, "ascending") for key in keys])
    return conform(table.take(order), table.schema)


def _ascends(keys: pa.Table) -> bool:
    """Tell whether rows are in order already, a batch at a time; missing values come last."""
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


def _cast(values: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    plain = _decoded(values)
    if plain.null_count and not field.nullable:
        raise ValueError(f"column '{field.name}' has {plain.null_count} nulls and may have none")
    if not pa.types.is_dictionary(field.type):
        return plain.cast(field.type)
    plain = plain.cast(field.type.value_type)
    # A sorted dictionary keeps the file's bytes independent of the order in which rows came.
    categories = pc.unique(plain).drop_null().sort()
    places = pc.index_in(plain, categories).cast(field.type.index_type)
    coded = [pa.DictionaryArray.from_arrays(chunk, categories) for chunk in places.chunks]
    return pa.chunked_array(coded, field.type)


def _decoded(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
