"""Store the finished partitions of an unfinished stage, by name.

Partitions are a cache: one damaged by a full disk, a power cut or anyone else is computed again.
"""

import hashlib
import logging
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from webemo_curate.rooted import is_plain
from webemo_curate.storage.protocols import Store
from webemo_curate.system_faults import raise_system_fault

logger = logging.getLogger(__name__)

SUFFIX = ".arrow"
DIGEST_BYTES = 32
"""Length of the SHA-256 (of the key and of the rest) that a file begins with; an Arrow IPC file
follows."""


class Checkpoints:
    """Tables under one prefix of a store.

    Parameters
    ----------
    store : Store
        Holds the tables.
    prefix : str
        Prefix of their keys.
    """

    def __init__(self, store: Store, prefix: str) -> None:
        self._store, self._prefix = store, prefix

    def finished(self) -> set[str]:
        """Return the names of the stored tables, sound or not."""
        return {PurePosixPath(key).stem for key in self._store.keys(self._prefix)}

    def save(self, name: str, table: pa.Table) -> None:
        """Store a table under a name, atomically."""
        # A file has one dictionary a column, but rows that survived a killed worker bring their
        # own.
        table = table.unify_dictionaries()
        sink = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_file(sink, table.schema, options=options) as writer:
            writer.write_table(table)
        content = sink.getvalue()
        with self._store.writing(self._key(name)) as partial, partial.open("wb") as stream:
            stream.write(_digest(self._key(name), content))
            stream.write(content)

    def load(self, name: str) -> pa.Table | None:
        """Read a table back.

        Parameters
        ----------
        name : str
            One of `finished`.

        Returns
        -------
        pa.Table or None
            None if it is missing or damaged; damage is logged.
        """
        if not is_plain(name):
            return None
        try:
            content = self._store.local(self._key(name)).read_bytes()
            return _read(self._key(name), content)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, pa.ArrowException) as error:
            raise_system_fault(error, self._store.where(self._key(name)))
            logger.info("%s: not as it was saved; done again", self._store.where(self._key(name)))
            return None

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}{SUFFIX}"


def _digest(key: str, rows: Any) -> bytes:
    hasher = hashlib.sha256(key.encode())
    hasher.update(rows)
    return hasher.digest()


def _read(key: str, content: bytes) -> pa.Table:
    digest, rows = content[:DIGEST_BYTES], memoryview(content)[DIGEST_BYTES:]
    if _digest(key, rows) != digest:
        raise ValueError("the digest differs")
    table = pa.ipc.open_file(pa.py_buffer(rows)).read_all()
    table.validate(full=True)  # a digest does not prove good faith: offsets may be out of range
    return table
