"""Write files atomically: a file appears whole or not at all."""

import ctypes
import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from webemo_curate.errors import CurateError
from webemo_curate.rooted import check_replaceable
from webemo_curate.system_faults import REMEDIES, lacking, raise_system_fault

PARTIAL_SUFFIX = ".partial"
NAME_BYTES = 200
"""Most bytes of the final name that a partial file's name begins with."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path that is renamed to `path` if the block ends without an error.

    The bytes are flushed to the disk before the rename, so that a reader (or a restart after a
    power cut) sees the old file, the new one or none.

    Parameters
    ----------
    path : Path
        The final file; its folder is created if missing.

    Yields
    ------
    Path
        The file to write, in the same folder.

    Raises
    ------
    CurateError
        If the disk is full or the folder cannot be written.
    """
    check_replaceable(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial, handle = _begin(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield partial
        flush_file(partial)
        partial.replace(path)
        flush_file(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    except Exception as error:  # native code raises errors of its own for a full disk
        raise_system_fault(error, f"{path}: cannot be written")
        raise
    finally:
        partial.unlink(missing_ok=True)
        os.close(handle)


def _begin(path: Path) -> tuple[Path, int]:
    """Create an empty partial file with the user's permissions, and lock it; see `is_abandoned`."""
    partial = path.with_name(_partial_name(path.name))
    handle = _create(partial)
    with suppress(OSError):  # where the file system has no locks, no workspace is possible either
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return partial, handle


def _create(partial: Path | str, folder: int | None = None) -> int:
    """Create a new file; fail rather than open a file or link that somebody else put there."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(partial, flags, 0o666, dir_fd=folder)


def _partial_name(name: str) -> str:
    """Return an unused name for a file that will have another, not too long for file systems."""
    short = os.fsdecode(os.fsencode(name)[:NAME_BYTES])
    return f".{short}.{os.urandom(6).hex()}{PARTIAL_SUFFIX}"


def is_abandoned(partial: Path) -> bool:
    """Return whether no living process writes a partial file.

    Parameters
    ----------
    partial : Path
        A file whose name ends in `PARTIAL_SUFFIX`.

    Returns
    -------
    bool
        False also if this cannot be determined.
    """
    try:
        handle = os.open(partial, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return error.errno == errno.ELOOP  # a link, which this program never creates
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically.

    Parameters
    ----------
    path : Path
        The file to write.
    content : bytes
        Its whole content.

    Raises
    ------
    CurateError
        If it cannot be written.
    """
    with atomic_path(path) as partial:
        partial.write_bytes(content)


def write_unsettled(folder: int, name: str, content: bytes) -> None:
    """Write a file that is whole or absent after a kill, but may be torn after a power cut.

    This costs a tenth of `write_bytes`: for many files, followed by one `sync_filesystem`.

    Parameters
    ----------
    folder : int
        Descriptor of its folder.
    name : str
        Its name there.
    content : bytes
        Its whole content.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    partial = _partial_name(name)
    try:
        handle = _create(partial, folder)
        try:
            _write(handle, content)
        finally:
            os.close(handle)
        os.rename(partial, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(OSError):  # the first error says why
            os.unlink(partial, dir_fd=folder)
        raise


def _write(handle: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(handle, left) :]


def sync_filesystem(folder: Path) -> None:
    """Wait until everything written to a folder's file system is on the disk.

    Parameters
    ----------
    folder : Path
        Any folder of the file system.

    Raises
    ------
    CurateError
        If the disk reports an error.
    """
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:  # not on Linux
        os.sync()
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        if syncfs(handle):
            code = ctypes.get_errno()
            raise cannot_write(folder, OSError(code, os.strerror(code)))
    finally:
        os.close(handle)


def flush_file(path: Path) -> None:
    """Wait until a file's bytes, or a folder's entries, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def cannot_write(path: Path, error: OSError) -> CurateError:
    """Return the error for a file that cannot be written, with the remedy."""
    if error.errno in REMEDIES:
        return lacking(error.errno, f"{path}: cannot be written")
    return CurateError(
        f"{path}: cannot be written: {error.strerror}; check the folder and its permissions"
    )
