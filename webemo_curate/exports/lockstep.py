"""Manifests read side by side: all are in the order of the hashes, so none is held whole."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from webemo_curate.exports.chosen_rows import BATCH_ROWS
from webemo_curate.manifest_scan import manifest_batches
from webemo_curate.manifest_store import manifest_key
from webemo_curate.workspace import Workspace


class Cursor:
    """The rows of a manifest, asked for by growing hashes.

    Parameters
    ----------
    workspace : Workspace
        Holds the manifest; one that is not there has no rows.
    name : str
        The manifest.
    columns : sequence of str
        What is read of it.
    key : str, default 'sha256'
        The column it is sorted by.
    """

    def __init__(
        self, workspace: Workspace, name: str, columns: Sequence[str], key: str = "sha256"
    ) -> None:
        self._key = key
        self._rows = _rows(workspace, name, [key, *(c for c in columns if c != key)])
        self._next = next(self._rows, None)

    def at(self, sha256: str) -> dict[str, Any]:
        """Return the row of a hash, which is above all that were asked for; empty if none is."""
        while self._next is not None and self._next[self._key] < sha256:
            self._next = next(self._rows, None)
        if self._next is None or self._next[self._key] != sha256:
            return {}
        return self._next


def batches(workspace: Workspace, name: str, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Yield columns of a manifest in its order, some rows at a time; nothing if it is not there."""
    if not workspace.has(name):
        return
    yield from manifest_batches(
        workspace.store.local(manifest_key(name)), name, columns, BATCH_ROWS
    )


def _rows(workspace: Workspace, name: str, columns: list[str]) -> Iterator[dict[str, Any]]:
    for table in batches(workspace, name, columns):
        yield from table.to_pylist()
