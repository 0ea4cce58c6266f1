"""Write manifests atomically with their origin in the metadata, and check them when read."""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from webemo_curate import __version__
from webemo_curate.conform import conform, in_form, in_full, row_groups
from webemo_curate.errors import InputError
from webemo_curate.fields import LATER
from webemo_curate.frames import pandas_metadata
from webemo_curate.parquet import pages_written, read_footer, read_parquet, seal
from webemo_curate.quoting import quoted
from webemo_curate.remedies import writing
from webemo_curate.rooted import ODD, open_regular
from webemo_curate.schemas import SCHEMAS
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.table_digest import content_digest
from webemo_curate.verdicts import are_classes

METADATA_KEY = b"webemo_curate"
ROW_GROUP_ROWS = 65_536
SHARED = "shared"
MARKS = f"{SHARED}-"
"""How the names of manifests of this kind begin; the name of the set follows."""

NOT_METADATA = (KeyError, TypeError, ValueError, AttributeError)
"""Errors raised by metadata that this module did not write."""


@dataclass(frozen=True)
class Origin:
    """What a manifest was made from; stored in the file's metadata.

    Attributes
    ----------
    stage, stage_version
        The stage that wrote it and its version.
    configuration
        The stage's fingerprinted configuration.
    inputs
        Content digest of each input, by name.
    """

    stage: str
    stage_version: int
    configuration: dict[str, Any]
    inputs: dict[str, str]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over stage name, version, configuration and input digests, in hex."""
        document = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(document.encode()).hexdigest()


@dataclass(frozen=True)
class ManifestInfo:
    """The contents of a manifest's metadata.

    Attributes
    ----------
    origin
        What it was made from.
    digest
        SHA-256 of its non-volatile content.
    rows
        Number of rows.
    package_version
        Version of webemo_curate that wrote it.
    classes
        Names of targets 0, 1, ... of a split; None if rows have no target.
    name
        Name of the manifest, which its seal covers; None for an earlier version's, without a seal.
    """

    origin: Origin
    digest: str
    rows: int
    package_version: str
    classes: tuple[str, ...] | None = None
    name: str | None = None

    def document(self) -> dict[str, Any]:
        """Return the metadata as JSON values; `classes` is left out if it is None."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def write_manifest(
    path: Path,
    name: str,
    table: pa.Table,
    origin: Origin,
    classes: tuple[str, ...] | None = None,
    *,
    kind: str | None = None,
) -> ManifestInfo:
    """Sort, check, write and seal a manifest.

    Parameters
    ----------
    path : Path
        The Parquet file to write; `Store.writing` yields one that appears whole or not at all.
    name : str
        Name of the manifest, usually a key of `SCHEMAS`.
    table : pa.Table
        Its rows, in any order; columns are cast to the schema.
    origin : Origin
        What it was made from.
    classes : tuple of str, optional
        Names of the targets, for a split.
    kind : str, optional
        Key of `SCHEMAS`, if the manifest has another name.

    Returns
    -------
    ManifestInfo
        The metadata written.

    Raises
    ------
    ValueError
        If the table does not fit the schema, which is a defect of the stage.
    """
    kind = kind or name
    table = in_form(kind, table)
    schema = in_full(table.schema, SCHEMAS[kind])
    with ThreadPoolExecutor(1) as beside:
        digest = beside.submit(content_digest, table)
        with pages_written(row_groups(table, schema, ROW_GROUP_ROWS), schema, path) as describe:
            rows, found = table.num_rows, digest.result()
            info = ManifestInfo(origin, found, rows, __version__, classes, name)
            document = json.dumps(info.document(), sort_keys=True).encode()
            describe({METADATA_KEY: document} | pandas_metadata(schema))
    seal(path)
    pa.default_memory_pool().release_unused()  # pages of row groups, which the next step lacks
    return info


def read_manifest(path: Path, name: str, columns: list[str] | None = None) -> pa.Table:
    """Read a manifest and check its columns.

    Parameters
    ----------
    path : Path
        The Parquet file.
    name : str
        Name of the manifest that it must be.
    columns : list of str, optional
        The columns to read; by default all.

    Returns
    -------
    pa.Table
        Rows in their stored order, columns as in the schema.

    Raises
    ------
    InputError
        If the file is missing or unreadable, or lacks the manifest's columns.
    """
    schema = SCHEMAS[name]
    with reading(path, name):
        wanted = pa.schema([schema.field(column) for column in columns]) if columns else schema
        there = set(_schema(path).names)
        lacking = [field for field in wanted if LATER in field.metadata and field.name not in there]
        asked = columns and [c for c in columns if c not in {field.name for field in lacking}]
        table = read_parquet(path, asked)
        for field in lacking:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
        table = conform(table, wanted)
        _check_paths(table, name)
        return table


@contextmanager
def reading(path: Path, name: str) -> Iterator[None]:
    """Turn errors of the block into errors that name the manifest and the command that writes it.

    Parameters
    ----------
    path : Path
        The Parquet file.
    name : str
        Name of the manifest that it must be.

    Raises
    ------
    InputError
        In place of the errors that libraries raise.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such manifest; '{writing(name)}' writes it") from error
    except (OSError, pa.ArrowException, ValueError) as error:
        raise_system_fault(error, str(path))
        raise InputError(
            f"{path}: not a sound '{name}' manifest ({error}); delete it and run "
            f"'{writing(name)}' again"
        ) from error


def _schema(path: Path) -> pa.Schema:
    with open_regular(path) as stream:
        read_footer(stream)
        return pq.read_schema(path)


def odd_paths(paths: Any) -> Any:
    """Return which paths, of an array or a filter's column, lead out of the workspace."""
    return pc.match_substring_regex(paths, ODD)


def _check_paths(table: pa.Table, name: str) -> None:
    """Raise if a path of an image leads out of the workspace."""
    # A set's shared files may lie anywhere: these paths are shown, never opened.
    if "path" not in table.column_names or name == SHARED:
        return
    odd = odd_paths(table["path"])
    if pc.any(odd).as_py():
        row = pc.index(odd, value=True).as_py()
        path = quoted(table["path"][row].as_py())
        raise ValueError(f"row {row + 1}: path {path} is none below the workspace")


def read_info(file: Path | pa.NativeFile) -> ManifestInfo | None:
    """Read a manifest's metadata, without its rows.

    Parameters
    ----------
    file : Path or pa.NativeFile
        The Parquet file.

    Returns
    -------
    ManifestInfo or None
        None if the file is missing, unreadable, or not a manifest of this package.
    """
    try:
        document = json.loads(_metadata(file)[METADATA_KEY])
        named = document.get("classes")
        classes = None if named is None else tuple(named)
        origin = Origin(**document["origin"])
        info = ManifestInfo(**(document | {"origin": origin, "classes": classes}))
        return info if _is_typed(info) else None
    except (OSError, pa.ArrowException, RecursionError, *NOT_METADATA) as error:
        raise_system_fault(error)
        return None


def _metadata(file: Path | pa.NativeFile) -> dict[bytes, bytes]:
    if isinstance(file, Path):
        with open_regular(file) as stream:
            footer = read_footer(stream)
    else:
        footer = read_footer(file)
    metadata: dict[bytes, bytes] = pq.read_metadata(pa.BufferReader(footer)).metadata
    return metadata


def _is_typed(info: ManifestInfo) -> bool:
    """Return whether metadata, which anyone may have written, has the types of `ManifestInfo`."""
    origin = info.origin
    numbers, texts = (info.rows, origin.stage_version), (info.digest, info.package_version)
    maps = origin.configuration, origin.inputs
    return (
        all(type(number) is int for number in numbers)
        and all(isinstance(each, dict) for each in maps)
        and all(
            isinstance(text, str)
            for text in (*texts, origin.stage, *origin.inputs.values(), info.name or "")
        )
        and (info.classes is None or are_classes(info.classes))
    )


def empty_table(name: str) -> pa.Table:
    """Return a manifest without rows.

    Parameters
    ----------
    name : str
        A key of `SCHEMAS`.

    Returns
    -------
    pa.Table
        A table of its schema.
    """
    return SCHEMAS[name].empty_table()
