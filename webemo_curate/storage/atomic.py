"""Files that appear whole or not at all."""

import ctypes
import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from webemo_curate.errors import CurateError
from webemo_curate.system_faults import REMEDIES, lacking

PARTIAL_SUFFIX = ".partial"


_numbers = itertools.count()


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path that becomes `path` if the block ends well.

    The bytes reach the disk before the name does, so that a reader (or a restart after power loss)
    sees the old file, the new one or none.

    Parameters
    ----------
    path : Path
        The final file; its folder is made if need be.

    Yields
    ------
    Path
        The file to write, in the same folder.

    Raises
    ------
    CurateError
        If the disk is full or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=PARTIAL_SUFFIX, dir=path.parent
        )
        os.close(handle)
    except OSError as error:
        raise _cannot_write(path, error) from error
    partial = Path(name)
    try:
        yield partial
        _flush(partial)
        partial.chmod(0o644)
        partial.replace(path)
        _flush(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically.

    Parameters
    ----------
    path : Path
        The file.
    content : bytes
        All it is to hold.

    Raises
    ------
    CurateError
        If it cannot be written.
    """
    with atomic_path(path) as partial:
        partial.write_bytes(content)


def write_unsettled(path: Path, content: bytes) -> None:
    """Write a file that a kill leaves whole or absent, but a power cut may still tear.

    A quarter of `write_bytes`'s cost: for many files, followed by one `sync_filesystem`.

    Parameters
    ----------
    path : Path
        The file; its folder is made if need be.
    content : bytes
        All it is to hold.

    Raises
    ------
    CurateError
        If it cannot be written.
    """
    partial = path.with_name(f".{path.name}.{next(_numbers)}{PARTIAL_SUFFIX}")
    try:
        try:
            partial.write_bytes(content)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise _cannot_write(path, error) from error


def sync_filesystem(folder: Path) -> None:
    """Wait until all that was written to a folder's file system is on the disk.

    Parameters
    ----------
    folder : Path
        Any folder of it.

    Raises
    ------
    CurateError
        If the disk reports an error.
    """
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:  # not Linux
        os.sync()
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        if syncfs(handle):
            code = ctypes.get_errno()
            raise _cannot_write(folder, OSError(code, os.strerror(code)))
    finally:
        os.close(handle)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _cannot_write(path: Path, error: OSError) -> CurateError:
    if error.errno in REMEDIES:
        return lacking(error.errno, f"{path}: cannot be written")
    return CurateError(
        f"{path}: cannot be written: {error.strerror}; check the folder and its permissions"
    )
