"""Read manifests batch by batch, for queries over more rows than fit in memory."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from webemo_curate.conform import conform, conform_chunks
from webemo_curate.fields import LATER, plain_type
from webemo_curate.manifest import ROW_GROUP_ROWS, odd_paths, read_manifest, reading
from webemo_curate.page_checksums import column_chunks
from webemo_curate.parquet import open_parquet, read_footer
from webemo_curate.rooted import open_regular
from webemo_curate.schemas import SCHEMAS
from webemo_curate.table_digest import digest_of_columns

if TYPE_CHECKING:
    import pyarrow.dataset as ds

DIGEST_ROWS = 8_192
"""Rows hashed at a time; a picture's local words take kilobytes."""

KEPT_BYTES = 2**25
"""Bytes up to which a column is kept in memory while its parts are hashed one after another."""


@cache
def checked() -> "ds.ParquetFileFormat":
    """Return a file format that checks each page's checksum, as `read_parquet` does."""
    import pyarrow.dataset as ds

    options = ds.ParquetFragmentScanOptions(page_checksum_verification=True)
    return ds.ParquetFileFormat(default_fragment_scan_options=options)


def scan_manifest(path: Path, name: str, columns: Sequence[str]) -> "pa.Table | ds.Dataset":
    """Open columns of a manifest to be read batch by batch, as a query needs them.

    Parameters
    ----------
    path : Path
        The Parquet file.
    name : str
        Name of the manifest that it must be.
    columns : sequence of str
        The columns to read.

    Returns
    -------
    Dataset
        The rows in the manifest's types, each page verified by its checksum when it is read. If the
        file has other types than the manifest, it is read whole, as a table.

    Raises
    ------
    InputError
        If the file is missing or unreadable, or lacks the manifest's columns.
    """
    import pyarrow.dataset as ds  # loads pandas, which workers need not wait for

    wanted = pa.schema([SCHEMAS[name].field(column) for column in columns])
    try:
        with open_regular(path) as stream:
            read_footer(stream)
        rows = ds.dataset(path, format=checked())
        later = {field.name for field in wanted if LATER in field.metadata}
        there = rows.schema
        plain = all(
            there.field(field.name).type == field.type
            if field.name in there.names
            else field.name in later
            for field in wanted
        )
        if not plain or _may_lack(path, wanted):
            return read_manifest(path, name, [*columns])
        rows = rows.replace_schema(wanted)
        if "path" in columns and rows.count_rows(filter=odd_paths(ds.field("path"))):
            return read_manifest(path, name, [*columns])
        return rows
    except (OSError, pa.ArrowException, ValueError):
        return read_manifest(path, name, [*columns])


def manifest_batches(
    path: Path, name: str, columns: Sequence[str], rows: int = ROW_GROUP_ROWS
) -> Iterator[pa.Table]:
    """Yield columns of a manifest, in order, some rows at a time.

    Parameters
    ----------
    path : Path
        The Parquet file.
    name : str
        Name of the manifest that it must be.
    columns : sequence of str
        The columns to read.
    rows : int, optional
        Most rows of a batch.

    Yields
    ------
    pa.Table
        In the manifest's types, each page verified by its checksum.

    Raises
    ------
    InputError
        If the file is missing or unreadable, or lacks these columns.
    """
    wanted = pa.schema([SCHEMAS[name].field(column) for column in columns])
    with reading(path, name), open_parquet(path) as file:
        for batch in file.iter_batches(rows, columns=wanted.names):
            yield conform(pa.Table.from_batches([batch]), wanted)


def stored_digest(path: Path, name: str) -> tuple[int, str]:
    """Hash a manifest's stored content, some rows at a time.

    Parameters
    ----------
    path : Path
        The Parquet file.
    name : str
        Name of the manifest that it must be.

    Returns
    -------
    rows : int
        Number of rows.
    digest : str
        Their `table_digest.content_digest`.

    Raises
    ------
    InputError
        If the file is missing or unreadable, or lacks the manifest's columns.
    """
    with reading(path, name), open_parquet(path) as file:
        rows, there = file.metadata.num_rows, set(file.schema_arrow.names)
        if unknown := sorted(there - set(SCHEMAS[name].names)):
            raise ValueError(f"columns unknown: {unknown}")
    if "path" in there:
        scan_manifest(path, name, ["path"])  # refuses paths that lead out of the workspace
    schema = pa.schema([f for f in SCHEMAS[name] if f.name in there or LATER not in f.metadata])
    return rows, digest_of_columns(schema, rows, _ColumnReader(path, name))


class _ColumnReader:
    """Reads columns of a manifest some rows at a time, and keeps a short one until the next."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._kept: tuple[str, list[pa.Array]] = "", []

    def __call__(self, column: str) -> Iterator[pa.Array]:
        """Yield a column's values, decoded from dictionaries."""
        if self._kept[0] == column:
            yield from self._kept[1]
            return
        size, kept = 0, list[pa.Array]()
        for chunk in self._read(column):
            size += chunk.nbytes
            if size <= KEPT_BYTES:
                kept.append(chunk)
            else:
                kept.clear()
            yield chunk
        if size <= KEPT_BYTES:
            self._kept = column, kept

    def _read(self, column: str) -> Iterator[pa.Array]:
        field = SCHEMAS[self._name].field(column)
        wanted = pa.schema([field.with_type(plain_type(field.type))])
        with reading(self._path, self._name), open_parquet(self._path) as file:
            for batch in file.iter_batches(DIGEST_ROWS, columns=[column]):
                yield from conform_chunks(pa.Table.from_batches([batch]), wanted)[column].chunks


def _may_lack(path: Path, wanted: pa.Schema) -> bool:
    """Return whether a column that may have no nulls has some, or does not say so."""
    needed = {field.name for field in wanted if not field.nullable}
    return any(chunk.nulls != 0 for chunk in column_chunks(path) if chunk.column in needed)
