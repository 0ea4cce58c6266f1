"""Keep the folders of many files open: a file is then found by its name alone."""

import os
import stat
from pathlib import Path
from typing import Any, Final

from webemo_curate.rooted import below, is_plain, open_folder
from webemo_curate.storage.atomic import cannot_write, write_unsettled
from webemo_curate.system_faults import held_at_most

MAX_HELD: Final = 256
"""Most folders held open: all that images of a workspace lie in (`workspace.FANOUT`)."""


class OpenFolder:
    """An open folder, closed once nobody has it any more.

    Parameters
    ----------
    descriptor : int
        Its descriptor.
    """

    __slots__ = ("descriptor",)

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __del__(self) -> None:
        os.close(self.descriptor)


class HeldFolders:
    """Folders below a root, each opened once, part by part, without following links.

    What is written to a folder stays there, whatever becomes of its path meanwhile. Threads may
    share it; other processes get one that holds nothing yet.

    Parameters
    ----------
    root : Path
        Any folder; it may be a link.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._held: dict[str, OpenFolder] = {}
        self._most = held_at_most(MAX_HELD)

    def __reduce__(self) -> tuple[type["HeldFolders"], tuple[Any, ...]]:
        return HeldFolders, (self._root,)

    def write(self, key: str, content: bytes) -> None:
        """Write a file as `atomic.write_unsettled` does, its folder made if missing.

        Parameters
        ----------
        key : str
            Its path relative to the root.
        content : bytes
            Its whole content.

        Raises
        ------
        InputError
            If the key is not plain, or a link, pipe or device lies on the way.
        CurateError
            If the file cannot be written.
        """
        folder, name = self._parts(key)
        try:
            try:
                self._write(folder, name, content)
            except FileNotFoundError:  # the folder was removed
                self._held.pop(folder, None)
                self._write(folder, name, content)
        except OSError as error:
            raise cannot_write(self._root / key, error) from error

    def size(self, key: str) -> int | None:
        """Return the size of a regular file in bytes; None if there is none. Raises as `write`."""
        folder, name = self._parts(key)
        try:
            opened = self._at(folder)
            status = os.stat(name, dir_fd=opened.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise cannot_write(self._root / key, error) from error
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def _write(self, folder: str, name: str, content: bytes) -> None:
        opened = self._at(folder)  # named, so that no other thread closes it meanwhile
        write_unsettled(opened.descriptor, name, content)

    def _parts(self, key: str) -> tuple[str, str]:
        """Return a file's folder and name."""
        folder, _, name = key.rpartition("/")
        if not is_plain(name):
            below(self._root, key)  # says what is wrong
        return folder, name

    def _at(self, key: str) -> OpenFolder:
        """Return a folder; whoever has it keeps it open."""
        if (found := self._held.get(key)) is not None:
            return found
        if len(self._held) >= self._most:
            self._held.clear()
        opened = self._held[key] = OpenFolder(self._opened(key))
        return opened

    def _opened(self, key: str) -> int:
        path, parts = below(self._root, key), key.split("/")
        try:
            return open_folder(self._root, parts)
        except FileNotFoundError:
            path.mkdir(parents=True, exist_ok=True)
            return open_folder(self._root, parts)
