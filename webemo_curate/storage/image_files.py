"""Images as one file each, for a file system: random access, and nothing to unpack."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from webemo_curate.rooted import below, is_plain, read_below, read_regular
from webemo_curate.storage.atomic import sync_filesystem, write_unsettled
from webemo_curate.system_faults import raise_system_fault


@dataclass(frozen=True)
class ImageFiles:
    """Images below a folder, each in the file its manifest path names; see `Images`.

    Attributes
    ----------
    root
        The workspace's folder.
    """

    root: Path

    @property
    def reader(self) -> "ImageFiles":
        """The same: a folder has no state."""
        return self

    @property
    def home(self) -> str:
        """The folder; see `ImageReader.home`."""
        return str(self.root)

    def read(self, place: str) -> bytes:
        """Read a file; see `ImageReader.read`."""
        return read_place(self.root, place)

    def add(self, content: bytes, path: str) -> None:
        """Write a file, once; see `Images.add`."""
        # A file that an unsettled run left may have its length and not its bytes.
        if not self._holds_bytes(path, content):
            write_unsettled(below(self.root, path, replaced=True), content)

    def link(self, source: Path, path: str) -> bool:
        """Make a file the hard link of another.

        Parameters
        ----------
        source : Path
            The other file; a link to one is followed.
        path : str
            Path in the manifests.

        Returns
        -------
        bool
            False if the file system cannot (another drive, say), or a file is there: nothing is
            done.

        Raises
        ------
        InputError
            If a link on the way would lead out of the root.
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
        """Tell whether a file is there; see `Images.holds`."""
        if not is_plain(path):
            return False
        try:
            status = below(self.root, path, replaced=True).lstat()
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and size in (None, status.st_size)

    def settle(self) -> None:
        """Flush all files with one call: a flush of each would cost more than its download."""
        sync_filesystem(self.root)

    def places(self, paths: pa.Array) -> pa.Array:
        """Return the paths: files lie where the manifests say."""
        return paths

    def sweep(self) -> None:
        """Do nothing: the store removes temporary files."""

    def _holds_bytes(self, path: str, content: bytes) -> bool:
        try:
            return self.holds(path, len(content)) and self.read(path) == content
        except OSError:
            return False


def _link(source: Path, file: Path) -> None:
    """Make a hard link; its folder too, if need be."""
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
        A path relative to it, which links do not lead out of; or an absolute one.

    Returns
    -------
    bytes
        The file.

    Raises
    ------
    OSError
        If there is no such regular file.
    """
    return read_regular(Path(place)) if place.startswith("/") else read_below(root, place)
