"""Let the engine read a manifest's file itself, where that is as safe as reading it through Arrow.

It then knows how many rows there are and what values, joins the shorter table to the longer, and
leaves out early what no join asks for; of batches that Arrow hands it it knows nothing.
"""

from collections.abc import Mapping, Sequence
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from webemo_curate.fields import plain_type
from webemo_curate.manifest import reading
from webemo_curate.page_checksums import are_whole

if TYPE_CHECKING:
    import duckdb
    import pyarrow.dataset as ds


def readable_files(tables: "Mapping[str, pa.Table | ds.Dataset]") -> dict[str, str]:
    """Return the files of those tables that the engine may read itself, by the tables' names.

    Parameters
    ----------
    tables : Mapping of str to (pa.Table or Dataset)
        Manifests of `scan_manifest` among them.

    Returns
    -------
    dict of str to str
        Paths of files whose pages, of the columns asked for, match their checksums. What is wrong
        with another file Arrow says when it is read.
    """
    files = {}
    for name, table in tables.items():
        if isinstance(table, pa.Table):
            continue
        path = Path(table.files[0]).absolute()
        try:
            sound = not has_magic(str(path)) and are_whole(path, table.schema.names)
        except (OSError, ValueError):
            continue
        if sound:
            files[name] = str(path)
    return files


def make_view(
    connection: "duckdb.DuckDBPyConnection", name: str, file: str, schema: pa.Schema
) -> bool:
    """Let queries name a manifest whose file the engine reads itself.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The engine.
    name : str
        What queries call it.
    file : str
        See `readable_files`.
    schema : pa.Schema
        Its columns; those that the file lacks are null.

    Returns
    -------
    bool
        False if the engine cannot read the file, or takes its columns for other types.
    """
    import duckdb

    plain = pa.schema([field.with_type(plain_type(field.type)) for field in schema])
    wanted = connection.from_arrow(plain.empty_table())
    try:
        rows = connection.from_parquet(file, hive_partitioning=False)
    except duckdb.Error:
        return False
    columns = [
        f'"{column}"' if column in rows.columns else f'null::{kind} as "{column}"'
        for column, kind in zip(wanted.columns, wanted.types, strict=True)
    ]
    rows = rows.project(", ".join(columns))
    if rows.types != wanted.types:
        return False
    rows.create_view(name)
    return True


def check_file(name: str, file: str, columns: Sequence[str]) -> None:
    """Raise if the engine cannot read columns of a manifest's file, which Arrow may.

    Parameters
    ----------
    name : str
        Name of the manifest that it must be.
    file : str
        See `readable_files`.
    columns : sequence of str
        The columns.

    Raises
    ------
    InputError
        Names the file, and the command that writes it.
    """
    import duckdb

    with reading(Path(file), name), duckdb.connect(config={"threads": 1}) as connection:
        rows = connection.from_parquet(file, hive_partitioning=False)
        read = [f'max(hash("{column}"))' for column in columns if column in rows.columns]
        try:
            rows.aggregate(", ".join(["count(*)", *read])).fetchall()
        except duckdb.Error as error:
            raise ValueError(error) from error
