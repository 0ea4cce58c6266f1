"""Parquet with page checksums: written to every file, checked at every read.

Without them a flipped bit changes values silently: compressed pages of numbers decode whatever is
in them.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def write_parquet(table: pa.Table, path: Path, **options: Any) -> None:
    """Write a table, compressed by zstd.

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


def read_parquet(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a file whole, or some of its columns.

    Parameters
    ----------
    path : Path
        The file.
    columns : list of str, optional
        Read these alone.

    Returns
    -------
    pa.Table
        As it was written.

    Raises
    ------
    OSError, ValueError, pa.ArrowException
        If it is no Parquet file, or a page's checksum differs.
    """
    return pq.read_table(path, columns=columns, partitioning=None, page_checksum_verification=True)
