"""Read, describe and write the manifests of a workspace by name."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from webemo_curate.errors import InputError
from webemo_curate.manifest import (
    MARKS,
    SHARED,
    ManifestInfo,
    Origin,
    read_info,
    read_manifest,
    write_manifest,
)
from webemo_curate.manifest_scan import manifest_batches, scan_manifest, stored_digest
from webemo_curate.parquet import is_sealed
from webemo_curate.remedies import WRITERS, typed
from webemo_curate.schemas import SCHEMAS
from webemo_curate.storage.protocols import Store
from webemo_curate.verdicts import DEFAULT_CLASSES, Split

MANIFESTS = "manifests"
REBUILD = "rebuild"
"""Named as the stage of splits that were rebuilt from a release."""

SPILLS = "data/spill"
"""Base name of the hidden, locked folder in which a command spills tables."""


class ManifestStore:
    """The manifests in a store, each under its name.

    Parameters
    ----------
    store : Store
        Holds the files, under `manifests/`.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    @property
    def root(self) -> Path:
        """Local folder: the workspace itself, or the cache of an object store."""
        return self.store.root

    def manifest_path(self, name: str) -> Path:
        """Return the local file of a manifest."""
        return self.root / manifest_key(name)

    def where(self, name: str) -> str:
        """Return the place of a manifest, for messages."""
        return self.store.where(manifest_key(name))

    def typed(self, command: str) -> str:
        """Return a command as it must be typed for this workspace."""
        return typed(command, self.store.where("").rstrip("/"))

    def writing(self, name: str) -> str:
        """Return the command, as it must be typed, that writes a manifest."""
        return self.typed(WRITERS.get(name, "add-folder"))

    def has(self, name: str) -> bool:
        """Return whether a manifest exists."""
        return self.store.exists(manifest_key(name))

    def read(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """Read a manifest; see `manifest.read_manifest`."""
        return self.read_as(name, name, columns)

    def scan(self, name: str, columns: Sequence[str]) -> Any:
        """Open a manifest to be read batch by batch; see `manifest.scan_manifest`."""
        return scan_manifest(self._local(name), name, columns)

    def batches(self, name: str, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield a manifest's rows, some at a time; see `manifest_scan.manifest_batches`."""
        return manifest_batches(self._local(name), name, columns)

    def read_as(self, kind: str, name: str, columns: list[str] | None = None) -> pa.Table:
        """Read a manifest with the columns of another kind; see `manifest.read_manifest`."""
        return read_manifest(self._local(name), kind, columns)

    def _local(self, name: str) -> Path:
        try:
            return self.store.local(manifest_key(name))
        except FileNotFoundError as error:
            raise InputError(
                f"{self.where(name)}: no such manifest; '{self.writing(name)}' writes it"
            ) from error

    def read_any(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """Read the manifest of a stage, an added set, or a set's overlap with the workspace."""
        return self.read_as(_kind(name), name, columns)

    def info(self, name: str) -> ManifestInfo | None:
        """Read a manifest's metadata; None if it is missing or unreadable."""
        try:
            with self.store.open(manifest_key(name)) as file:
                return read_info(file)
        except FileNotFoundError:
            return None

    @property
    def is_rebuilt(self) -> bool:
        """Whether the splits were rebuilt from a release, without lists and stages."""
        info = self.info(Split.TRAIN)
        return info is not None and info.origin.stage == REBUILD

    def change(self, name: str) -> str | None:
        """Describe how a manifest differs from what was written; None if it does not."""
        file, info = self._local(name), self.info(name)
        rows, digest = stored_digest(file, _kind(name))
        if info is None:
            return "says nothing of its origin: not written by curate"
        return change(file, info, rows, digest, name)

    def classes(self, name: str) -> tuple[str, ...]:
        """Return the names of a split's targets, as recorded when it was written."""
        info = self.info(name)
        return (info.classes if info else None) or DEFAULT_CLASSES

    def write(
        self, name: str, table: pa.Table, origin: Origin, classes: tuple[str, ...] | None = None
    ) -> ManifestInfo:
        """Write a manifest atomically; see `manifest.write_manifest`."""
        return self.write_as(name, name, table, origin, classes)

    def write_as(
        self,
        kind: str,
        name: str,
        table: pa.Table,
        origin: Origin,
        classes: tuple[str, ...] | None = None,
    ) -> ManifestInfo:
        """Write a manifest with the columns of another kind; see `manifest.write_manifest`."""
        with self.store.writing(manifest_key(name)) as partial:
            return write_manifest(partial, name, table, origin, classes, kind=kind)


def _kind(name: str) -> str:
    """Return the kind of a manifest, which gives its columns: an added set has those of a split."""
    if name in SCHEMAS:
        return name
    return SHARED if name.startswith(MARKS) else str(Split.TEST)


def manifest_key(name: str) -> str:
    """Return the key of a manifest."""
    return f"{MANIFESTS}/{name}.parquet"


def change(
    path: Path, info: ManifestInfo, rows: int, digest: str, name: str | None = None
) -> str | None:
    """Describe how a manifest differs from what was written.

    Parameters
    ----------
    path : Path
        The Parquet file.
    info : ManifestInfo
        Its metadata.
    rows, digest : int, str
        Its number of rows and their digest; see `manifest_scan.stored_digest`.
    name : str, optional
        Name that it must have; a copy of a set may have any name.

    Returns
    -------
    str or None
        Worded to follow the path and a colon; None if it is as written.
    """
    if rows != info.rows:
        return f"has {rows} rows, {info.rows} were written"
    if digest != info.digest:
        return "its values have been changed since it was written"
    if info.name is None:
        return None  # written by an earlier version
    if not is_sealed(path):
        return "its metadata or bytes have been changed since it was written"
    return None if name in (None, info.name) else f"is '{info.name}' under another name"
