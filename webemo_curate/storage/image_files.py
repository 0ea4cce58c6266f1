"""Store each image in a file of its own, for file systems: random access, nothing to unpack."""

import os
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from webemo_curate.rooted import below, is_plain, read_below, read_regular
from webemo_curate.storage.atomic import sync_filesystem
from webemo_curate.storage.held_folders import HeldFolders
from webemo_curate.system_faults import raise_system_fault


@dataclass(frozen=True)
class ImageFiles:
    """Images under a folder, each at the path that its manifest row names; see `ImageStore`.

    Attributes
    ----------
    root
        The workspace's folder.
    """

    root: Path

    @property
    def reader(self) -> "ImageFiles":
        """The object itself: a folder has no state to leave behind."""
        return self

    @property
    def home(self) -> str:
        """The folder; see `ImageReader.home`."""
        return str(self.root)

    def read(self, place: str) -> bytes:
        """Read a file; see `ImageReader.read`."""
        return read_place(self.root, place)

    def add(self, content: bytes, path: str) -> None:
        """Write a file unless it exists; see `ImageStore.add`."""
        # A file left by an unsettled run may have the right length but wrong bytes.
        if self._folders.size(path) != len(content) or not self._holds_bytes(path, content):
            self._folders.write(path, content)

    def link(self, source: Path, path: str) -> bool:
        """Make a file a hard link to another.

        Parameters
        ----------
        source : Path
            The other file; if it is a link, its target.
        path : str
            The new file's path in the manifests.

        Returns
        -------
        bool
            False, with nothing done, if the file system cannot link (another drive, say) or the
            file exists.

        Raises
        ------
        InputError
            If a link in the path would lead out of the root.
        """
        file = below(self.root, path, replaced=True)
        try:
            _link(source.resolve() if source.is_symlink() else source, file)
        except FileExistsError:
            return False
        except OSError as error:
            raise_system_fault(error, str(file))
            return False
        return True

    def holds(self, path: str, size: int | None) -> bool:
        """Return whether a file exists; see `ImageStore.holds`."""
        if not is_plain(path):
            return False
        return _has_size(below(self.root, path, replaced=True), size)

    def settle(self) -> None:
        """Flush all files with one call; flushing each would cost more than its download."""
        sync_filesystem(self.root)

    def gather(self) -> None:
        """Do nothing: an image is in its place at once."""

    def places(self, paths: pa.Array) -> pa.Array:
        """Return the paths unchanged: files lie where the manifests say."""
        return paths

    def sweep(self) -> None:
        """Do nothing: the store removes temporary files."""

    @cached_property
    def _folders(self) -> HeldFolders:
        return HeldFolders(self.root)

    def _holds_bytes(self, path: str, content: bytes) -> bool:
        try:
            return self.read(path) == content
        except OSError:
            return False


def _has_size(file: Path, size: int | None) -> bool:
    """Return whether there is a regular file, of a size if one is given."""
    try:
        status = file.lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and size in (None, status.st_size)


def _link(source: Path, file: Path) -> None:
    """Make a hard link, and its folder if missing."""
    try:
        os.link(source, file)
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, file)


def read_place(root: Path, place: str) -> bytes:
    """Read an image of a workspace, or any file by its absolute path.

    Parameters
    ----------
    root : Path
        The workspace's folder.
    place : str
        A path relative to `root`, which no link may lead out of; or an absolute path.

    Returns
    -------
    bytes
        The file's bytes.

    Raises
    ------
    OSError
        If there is no such regular file.
    """
    return read_regular(Path(place)) if place.startswith("/") else read_below(root, place)
