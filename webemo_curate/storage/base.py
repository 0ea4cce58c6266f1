"""The seam between a workspace and the place that holds its bytes."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import pyarrow as pa


class Store(Protocol):
    """Holds whole files under keys: POSIX paths relative to the workspace.

    A key's content appears whole or not at all, whatever kills the writer. Every method raises
    `CurateError` if the place fails (a full disk, refused credentials, no answer).
    """

    @property
    def root(self) -> Path:
        """Local folder that mirrors the keys: the place itself, or a cache of it."""

    def where(self, key: str) -> str:
        """Return a key's full name, for messages."""

    def exists(self, key: str) -> bool:
        """Tell whether a key is there."""

    def keys(self, prefix: str) -> list[str]:
        """Return the keys below a prefix, sorted; none if there is no such prefix."""

    def open(self, key: str) -> pa.NativeFile:
        """Open a key for reading parts of it.

        Raises
        ------
        FileNotFoundError
            If it is not there.
        """

    def local(self, key: str) -> Path:
        """Return a local file that holds a key's content; it must not be written to.

        Raises
        ------
        FileNotFoundError
            If it is not there.
        """

    def writing(self, key: str) -> AbstractContextManager[Path]:
        """Give a local path to write, which becomes the key's content if the block ends well."""

    def write(self, key: str, content: bytes) -> None:
        """Replace a key's content."""

    def remove(self, prefix: str) -> None:
        """Remove a key, or all keys below a prefix; what is not there is no error."""

    def sweep(self) -> None:
        """Remove what a killed writer left half done; call it with the lock held."""

    def lock(self) -> AbstractContextManager[None]:
        """Hold the place for one writing command.

        Raises
        ------
        CurateError
            If another command holds it.
        """
