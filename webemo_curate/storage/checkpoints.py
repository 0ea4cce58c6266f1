"""Finished partitions of an unfinished stage, by name."""

from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.feather as feather

from webemo_curate.storage.protocols import Store

SUFFIX = ".arrow"


class Checkpoints:
    """Tables below one prefix of a store.

    Parameters
    ----------
    store : Store
        Where they lie.
    prefix : str
        Of their keys.
    """

    def __init__(self, store: Store, prefix: str) -> None:
        self._store, self._prefix = store, prefix

    def finished(self) -> set[str]:
        """Return the names of the tables that are there."""
        return {PurePosixPath(key).stem for key in self._store.keys(self._prefix)}

    def save(self, name: str, table: pa.Table) -> None:
        """Store a table under a name; it appears whole or not at all."""
        with self._store.writing(self._key(name)) as partial:
            feather.write_feather(table, str(partial), compression="zstd")

    def load(self, name: str) -> pa.Table:
        """Read a table back."""
        return feather.read_table(self._store.local(self._key(name)), memory_map=False)

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}{SUFFIX}"
