"""A workspace in a local folder."""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from webemo_curate.errors import CurateError, InputError
from webemo_curate.rooted import below, check_tree, is_plain
from webemo_curate.storage.atomic import PARTIAL_SUFFIX, atomic_path, is_abandoned, write_bytes
from webemo_curate.storage.image_files import ImageFiles
from webemo_curate.system_faults import raise_system_fault

LOCK_KEY = "data/lock"

REMOVERS: Final = 8
"""Threads that remove files; see `_remove_folder`."""


class FolderStore:
    """A store whose keys are files under a folder; see `Store`.

    Parameters
    ----------
    root : Path
        The folder; created on first write.

    Raises
    ------
    InputError
        If it is a file.
    """

    def __init__(self, root: Path) -> None:
        if root.exists() and not root.is_dir():
            raise InputError(f"{root}: not a folder; give --workspace a folder")
        self.root = root
        self._held: int | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Go to other processes without the lock, which stays with this one.

        What they write is still refused once the workspace was moved away.
        """
        return {"root": self.root, "_held": self._held}

    def images(self) -> ImageFiles:
        """Return the images of the workspace: each a file below the folder."""
        return ImageFiles(self.root)

    def where(self, key: str) -> str:
        """Return the path of a key's file."""
        return str(self.root / key)

    def exists(self, key: str) -> bool:
        """Return whether a key's file exists."""
        return below(self.root, key).is_file()

    def keys(self, prefix: str) -> list[str]:
        """Return the keys of the files under a folder; see `Store.keys`."""
        top = below(self.root, prefix)
        files = (
            Path(place, name) for place, _, names in os.walk(top, onerror=_told) for name in names
        )
        keys = (path.relative_to(self.root).as_posix() for path in files)
        return sorted(key for key in keys if not key.endswith(PARTIAL_SUFFIX) and is_plain(key))

    def open(self, key: str) -> pa.NativeFile:
        """Open a key's file; see `Store.open`."""
        return pa.OSFile(str(self.local(key)))

    def local(self, key: str) -> Path:
        """Return a key's file; see `Store.local`."""
        path = below(self.root, key)
        if not path.is_file():
            raise FileNotFoundError(str(path))
        return path

    def writing(self, key: str) -> AbstractContextManager[Path]:
        """Yield a temporary file that becomes the key's file; see `atomic.atomic_path`."""
        return atomic_path(self._own(key))

    def write(self, key: str, content: bytes) -> None:
        """Replace a key's file; see `atomic.write_bytes`."""
        write_bytes(self._own(key), content)

    def publish(self, prefix: str) -> None:
        """Check that the workspace is still in its place; its files need no publishing."""
        self._own(prefix)

    def pull(self, prefix: str) -> Path:
        """Return a folder; see `Store.pull`."""
        folder = below(self.root, prefix)
        check_tree(folder)
        return folder

    def remove(self, prefix: str) -> None:
        """Remove a file, or a folder with all its content."""
        path = below(self.root, prefix, replaced=True)
        if path.is_dir() and not path.is_symlink():
            _remove_folder(path)
        else:
            path.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove temporary files; see `Store.sweep`."""
        images, unfinished_fetch = self.root / "data/images", self.root / "data/checkpoints/fetch"
        # `data/images` has hundreds of thousands of files; a finished fetch leaves no partial ones
        # there.
        remove_partials(self.root, None if unfinished_fetch.exists() else images)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the folder; the lock ends with the process, however it dies. See `Store.lock`."""
        handle = self._open_lock()
        try:
            self._take(handle)
            self._held = os.fstat(handle).st_ino
            yield
        finally:
            self._held = None
            os.close(handle)

    def _open_lock(self) -> int:
        path = below(self.root, LOCK_KEY)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(path, flags, 0o666)
        except OSError as error:
            raise CurateError(
                f"{self.root}: cannot be made a workspace: {error.strerror}; "
                "give --workspace a folder you may write to"
            ) from error

    def _take(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            _raise_unless_held(error, self.root)
            raise CurateError(
                f"{self.root}: another curate command works here; wait for it to end"
            ) from error

    def _own(self, key: str) -> Path:
        """Return a key's path for writing, after a check that the workspace was not moved away."""
        self.check_own()
        return below(self.root, key)

    def check_own(self) -> None:
        """Check that the workspace was not moved away; see `Store.check_own`."""
        if self._held is not None and _number(f"{self.root}/{LOCK_KEY}") != self._held:
            raise CurateError(
                f"{self.root}: the workspace was moved or removed while this command worked in it; "
                "move it back, or give its new place, and run the command again"
            )


def _remove_folder(path: Path) -> None:
    """Remove a folder with all its content; links are removed, not followed.

    Several folders at once, because some file systems wait for the disk at each file that they free
    (ext4 mounted with `discard`: 3 ms), and such waits can overlap.
    """
    holding = [folder for folder, _, files in os.walk(path) if files]
    with ThreadPoolExecutor(REMOVERS) as pool:
        for folder in holding:
            pool.submit(shutil.rmtree, folder, ignore_errors=True)
    shutil.rmtree(path, ignore_errors=True)


def _raise_unless_held(error: OSError, root: Path) -> None:
    """Raise, unless the lock failed because another command holds it."""
    if error.errno not in (errno.EAGAIN, errno.EACCES):
        if error.errno != errno.ENOLCK:
            raise_system_fault(error, str(root))
        raise CurateError(
            f"{root}: cannot be locked: {error.strerror}; give --workspace a folder of a file "
            "system with locks"
        ) from error


def _number(path: str) -> int | None:
    """Return a file's inode number; None if the file does not exist."""
    try:
        return os.lstat(path).st_ino
    except OSError:
        return None


def _told(error: OSError) -> None:
    """Raise the error of a folder that cannot be listed: its unseen files would count as gone."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise_system_fault(error, str(error.filename))
        raise CurateError(f"{error.filename}: cannot be read: {error.strerror}") from error


def remove_partials(root: Path, skipped: Path | None = None) -> None:
    """Remove the temporary files of killed writers.

    Parameters
    ----------
    root : Path
        The folder to search.
    skipped : Path, optional
        A subfolder to leave out.
    """
    for folder, inner, files in os.walk(root):
        inner[:] = [name for name in inner if Path(folder, name) != skipped]
        for name in files:
            partial = Path(folder, name)
            ours = name.startswith(".") and name.endswith(PARTIAL_SUFFIX)
            if ours and is_abandoned(partial):
                partial.unlink(missing_ok=True)
