"""Files that appear whole or not at all."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from webemo_curate.errors import CurateError

PARTIAL_SUFFIX = ".partial"


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


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _cannot_write(path: Path, error: OSError) -> CurateError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    remedy = (
        "free some space and run the same command again: finished work is kept"
        if full
        else "check the folder and its permissions"
    )
    return CurateError(f"{path}: cannot be written: {error.strerror}; {remedy}")
