"""The files of a release, their columns, and the sums that hold them together."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from webemo_curate import parquet
from webemo_curate.errors import InputError
from webemo_curate.fields import TIMESTAMP
from webemo_curate.frames import pandas_metadata
from webemo_curate.parquet import read_parquet
from webemo_curate.rooted import read_regular, regular_digest
from webemo_curate.system_faults import raise_system_fault

IMAGES, DECISIONS, REMOVED = "images.parquet", "decisions.parquet", "removed.parquet"
PIPELINE, CROISSANT, CARD, SUMS = "curate.yaml", "croissant.json", "README.md", "SHA256SUMS"
MAX_SUMS_BYTES = 65_536
FILES = (IMAGES, DECISIONS, REMOVED, PIPELINE, CROISSANT, CARD)
"""All but the sums, which are of these."""

METADATA_KEY = b"webemo_curate"

IMAGE_COLUMNS = pa.schema(
    [
        ("sha256", pa.string()),
        ("bytes", pa.int64()),
        ("pixel_hash", pa.string()),
        ("phash", pa.uint64()),
        ("urls", pa.list_(pa.string())),
        ("url", pa.string()),
        ("label", pa.string()),
        ("labels", pa.list_(pa.string())),
        ("target", pa.int8()),
        ("group", pa.string()),
        ("split", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
    ]
)
"""Of `images.parquet`; every column is nullable, for readers that refuse others (img2dataset)."""

DECISION_COLUMNS = pa.schema(
    [
        ("url", pa.string()),
        ("sha256", pa.string()),
        ("keeper", pa.string()),
        ("stage", pa.string()),
        ("reason", pa.string()),
        ("score", pa.float64()),
        ("threshold", pa.float64()),
    ]
)
"""Of `decisions.parquet`: `keeper` is the image of the release that a duplicate looks like."""

OUTCOME_COLUMNS = pa.schema(
    [
        ("sha256", pa.string()),
        ("split", pa.string()),
        ("label", pa.string()),
        ("target", pa.int8()),
        ("outcome", pa.string()),
        ("status", pa.string()),
        ("http_status", pa.int16()),
        ("url", pa.string()),
        ("found_sha256", pa.string()),
        ("distance", pa.int16()),
        ("date", TIMESTAMP),
    ]
)
"""Of `rebuild.parquet`: what became of each image, where, and when that was seen."""

UNREPEATED = frozenset(
    ("sha256", "bytes", "pixel_hash", "phash", "group", "keeper", "urls.list.element", "url")
)


def write_parquet(table: pa.Table, file: Path) -> None:
    """Write a table small: hashes without a dictionary, the rest with one, all compressed.

    pandas reads its whole numbers as such, also where some are missing.
    """
    metadata = (table.schema.metadata or {}) | pandas_metadata(table.schema)
    table = table.replace_schema_metadata(metadata)
    names = pq.ParquetWriter(pa.BufferOutputStream(), table.schema).schema.names
    repeated = [name for name in names if name not in UNREPEATED]
    parquet.write_parquet(table, file, compression_level=9, use_dictionary=repeated or False)


def write_sums(folder: Path) -> None:
    """Write `SHA256SUMS` as `sha256sum -c` reads it."""
    lines = (f"{regular_digest(folder / name)}  {name}\n" for name in sorted(FILES))
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def check_sums(folder: Path) -> None:
    """Hold every file of a release against its sum.

    Parameters
    ----------
    folder : Path
        The release.

    Raises
    ------
    InputError
        If it is no release, or a file is missing or has changed; names it.
    """
    if not (folder / SUMS).is_file():
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder; give the one of a 'curate release'")
        raise InputError(f"{folder}: holds no {SUMS}; give the folder of a 'curate release'")
    lines = read_regular(folder / SUMS, MAX_SUMS_BYTES).decode(errors="replace").splitlines()
    parts = [line.partition("  ") for line in lines]
    sums = {name: sha256 for sha256, _, name in parts}
    for name in FILES:
        if name not in sums or not (folder / name).is_file():
            raise InputError(f"{folder / name}: the release lacks it; get the release again")
        if regular_digest(folder / name) != sums[name]:
            raise InputError(
                f"{folder / name}: is not what {SUMS} says; get the release again, unchanged"
            )


def is_release(folder: Path) -> bool:
    """Tell whether a folder is a release and holds nothing else."""
    if not folder.is_dir():
        return False
    names = {entry.name for entry in folder.iterdir()}
    return SUMS in names and names <= {*FILES, SUMS}


def read_columns(file: Path, schema: pa.Schema) -> pa.Table:
    """Read a file of a release.

    Raises
    ------
    InputError
        If it is not sound or lacks a column.
    """
    try:
        table = read_parquet(file, schema.names)
        return table.select(schema.names).cast(schema.with_metadata(table.schema.metadata))
    except (OSError, pa.ArrowException, ValueError, KeyError) as error:
        raise_system_fault(error, str(file))
        raise InputError(f"{file}: not sound ({error}); get the release again") from error
