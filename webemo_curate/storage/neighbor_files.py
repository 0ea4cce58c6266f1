"""Read many small files of a few folders, without following links."""

import os
import stat
from pathlib import Path
from typing import Self

from webemo_curate.rooted import FLAGS, NotRegularError, is_plain, open_folder

READ_BYTES = 2**26
"""Bytes that one further call asks for, of a file that the first call did not read whole."""


class NeighborReader:
    """Reads files below a root, many of them in the same folders; a context manager.

    The last file's folder stays open, because opening it takes longer than reading a small file.

    Parameters
    ----------
    root : Path
        Any folder; it may be a link.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: list[str] | None = None
        self._place = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def read(self, key: str) -> bytes:
        """Read a whole file; raises the errors of `open_below`."""
        if not is_plain(key):
            raise NotRegularError(f"{key!r} is no path below {self._root}")
        *folders, name = key.split("/")
        if folders != self._folders:
            self._leave()
            self._place = open_folder(self._root, folders)
            self._folders = folders
        handle = os.open(name, FLAGS, dir_fd=self._place)
        try:
            return _content(handle, key)
        finally:
            os.close(handle)

    def _leave(self) -> None:
        if self._folders is not None:
            os.close(self._place)
            self._folders = None


def _content(handle: int, name: str) -> bytes:
    """Read an open file with fewer calls than `FileIO` makes, which for a small one count."""
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        raise NotRegularError(f"{name}: no regular file")
    parts = [os.read(handle, status.st_size + 1)]
    if len(parts[0]) != status.st_size:  # it changes, or is more than one call reads
        while part := os.read(handle, READ_BYTES):
            parts.append(part)
    return b"".join(parts)
