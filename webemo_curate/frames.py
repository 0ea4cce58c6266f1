"""Turn Arrow tables into pandas frames without turning whole numbers into floats.

By default pandas turns a column of whole numbers with a missing value into floats, and 64-bit
hashes lose their last bits in all rows. Its nullable types keep them, also in merges.
"""

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd

PANDAS_KEY = b"pandas"
"""Metadata key under which `pandas.read_parquet` looks for the types of a file's columns."""


def to_frame(table: pa.Table) -> "pd.DataFrame":
    """Turn a table into a frame; the only way of doing so in this package.

    Parameters
    ----------
    table : pa.Table
        Any table.

    Returns
    -------
    pandas.DataFrame
        Its rows. Whole numbers have pandas' nullable types (`UInt64` for uint64, and so on),
        whether or not a value is missing; other columns are as pandas reads them.
    """
    import pandas as pd

    def nullable(kind: pa.DataType) -> Any:
        return pd.api.types.pandas_dtype(name) if (name := _pandas_name(kind)) else None

    return table.to_pandas(types_mapper=nullable)


def pandas_metadata(schema: pa.Schema) -> dict[bytes, bytes]:
    """Return Parquet metadata that makes pandas read whole numbers as whole numbers.

    Parameters
    ----------
    schema : pa.Schema
        The file's columns.

    Returns
    -------
    dict of bytes to bytes
        In the form that pandas documents for its Parquet files; a plain `pandas.read_parquet(file)`
        then gives the types of `to_frame`.
    """
    columns = [
        {
            "name": field.name,
            "field_name": field.name,
            "pandas_type": str(field.type),
            "numpy_type": name,
            "metadata": None,
        }
        for field in schema
        if (name := _pandas_name(field.type))
    ]
    document = {"index_columns": [], "column_indexes": [], "columns": columns}
    return {PANDAS_KEY: json.dumps(document, sort_keys=True).encode()}


def _pandas_name(kind: pa.DataType) -> str | None:
    """Return pandas' name of a nullable integer type; None for other types."""
    if not pa.types.is_integer(kind):
        return None
    return f"{'U' if pa.types.is_unsigned_integer(kind) else ''}Int{kind.bit_width}"
