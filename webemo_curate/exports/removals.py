"""Tombstones: what was taken down from the set and never leaves the workspace again."""

import hashlib
from pathlib import Path

import pyarrow as pa

from webemo_curate.conform import conform
from webemo_curate.errors import InputError
from webemo_curate.fields import TIMESTAMP, column
from webemo_curate.parquet import read_parquet
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verification import TOMBSTONES
from webemo_curate.workspace import Workspace

REMOVED = pa.schema(
    [
        column("sha256", pa.string(), "SHA-256 of the image taken down, in hex", nullable=True),
        column(
            "url_sha256",
            pa.string(),
            "SHA-256 of the URL taken down, in hex; the URL itself is not repeated",
            nullable=True,
        ),
        column("removed", TIMESTAMP, "when", nullable=True),
    ]
)


def url_digest(url: str) -> str:
    """Return the SHA-256 of a URL, in hex."""
    return hashlib.sha256(url.encode()).hexdigest()


def tombstones(workspace: Workspace) -> pa.Table:
    """Return what was taken down, schema `REMOVED`.

    Raises
    ------
    InputError
        If the file is not sound: what was taken down must not come back by a broken file.
    """
    if not workspace.store.exists(TOMBSTONES):
        return REMOVED.empty_table()
    return read_tombstones(workspace.store.local(TOMBSTONES))


def read_tombstones(file: Path) -> pa.Table:
    """Read a file of tombstones; see `tombstones`."""
    try:
        return conform(read_parquet(file), REMOVED)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise_system_fault(error, str(file))
        raise InputError(f"{file}: not a sound list of what was taken down ({error})") from error


def removed_hashes(workspace: Workspace) -> frozenset[str]:
    """Return the hashes of the images taken down."""
    return frozenset(tombstones(workspace)["sha256"].drop_null().to_pylist())
