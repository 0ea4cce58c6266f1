"""A workspace in a folder of this machine."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pyarrow as pa

from webemo_curate.errors import CurateError, InputError
from webemo_curate.storage.atomic import PARTIAL_SUFFIX, atomic_path, write_bytes
from webemo_curate.system_faults import raise_system_fault

LOCK_KEY = "data/lock"


class FolderStore:
    """Keys are files below a folder; see `Store`.

    Parameters
    ----------
    root : Path
        The folder; made on first write.

    Raises
    ------
    InputError
        If it is a file.
    """

    def __init__(self, root: Path) -> None:
        if root.exists() and not root.is_dir():
            raise InputError(f"{root}: not a folder; give --workspace a folder")
        self.root = root

    def where(self, key: str) -> str:
        """Return the path of a key's file."""
        return str(self.root / key)

    def exists(self, key: str) -> bool:
        """Tell whether a key's file is there."""
        return (self.root / key).exists()

    def keys(self, prefix: str) -> list[str]:
        """Return the keys of the files below a folder; see `Store.keys`."""
        top = self.root / prefix
        files = (
            Path(place, name) for place, _, names in os.walk(top, onerror=_told) for name in names
        )
        keys = (path.relative_to(self.root).as_posix() for path in files)
        return sorted(key for key in keys if not key.endswith(PARTIAL_SUFFIX))

    def open(self, key: str) -> pa.NativeFile:
        """Open a key's file; see `Store.open`."""
        return pa.OSFile(str(self.root / key))

    def local(self, key: str) -> Path:
        """Return a key's file; see `Store.local`."""
        path = self.root / key
        if not path.exists():
            raise FileNotFoundError(str(path))
        return path

    def writing(self, key: str) -> AbstractContextManager[Path]:
        """Give a temporary file that becomes the key's; see `atomic.atomic_path`."""
        return atomic_path(self.root / key)

    def write(self, key: str, content: bytes) -> None:
        """Replace a key's file; see `atomic.write_bytes`."""
        write_bytes(self.root / key, content)

    def publish(self, prefix: str) -> None:
        """Need nothing: the local files are the keys' content."""

    def pull(self, prefix: str) -> Path:
        """Return a folder; see `Store.pull`."""
        return self.root / prefix

    def remove(self, prefix: str) -> None:
        """Remove a file, or a folder with all that is in it."""
        path = self.root / prefix
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove temporary files; see `Store.sweep`."""
        images, unfinished_fetch = self.root / "data/images", self.root / "data/checkpoints/fetch"
        # Hundreds of thousands of files, and none of them left behind once fetching is done.
        remove_partials(self.root, None if unfinished_fetch.exists() else images)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder; the lock ends with its process, however that dies. See `Store.lock`."""
        path = self.root / LOCK_KEY
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CurateError(
                f"{self.root}: cannot be made a workspace: {error.strerror}; "
                "give --workspace a folder you may write to"
            ) from error
        with path.open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise CurateError(
                    f"{self.root}: another curate command works here; wait for it to end"
                ) from error
            yield


def _told(error: OSError) -> None:
    """Raise what kept a folder from being listed: what is not seen there would count as gone."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise_system_fault(error, str(error.filename))
        raise CurateError(f"{error.filename}: cannot be read: {error.strerror}") from error


def remove_partials(root: Path, skipped: Path | None = None) -> None:
    """Remove the temporary files of killed writers.

    Parameters
    ----------
    root : Path
        Folder that is searched.
    skipped : Path, optional
        A folder below it that is not.
    """
    for folder, below, files in os.walk(root):
        below[:] = [name for name in below if Path(folder, name) != skipped]
        for name in files:
            if name.startswith(".") and name.endswith(PARTIAL_SUFFIX):
                Path(folder, name).unlink(missing_ok=True)
