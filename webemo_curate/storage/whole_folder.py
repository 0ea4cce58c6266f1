"""Write folders atomically: a folder appears whole or not at all."""

import ctypes
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from webemo_curate.errors import CurateError, InputError
from webemo_curate.storage.atomic import PARTIAL_SUFFIX, sync_filesystem
from webemo_curate.system_faults import raise_system_fault

AT_FDCWD = -100
RENAME_EXCHANGE = 2
"""Flag of Linux's renameat2: exchange two names atomically."""


@contextmanager
def whole_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a hidden sibling folder that is renamed to `path` if the block ends without an error.

    The bytes are flushed to the disk before the rename. First, folders that killed commands left
    beside `path` are removed; a folder that a living command is filling is left alone.

    Parameters
    ----------
    path : Path
        The folder to make; its parents are created if missing.
    replace : bool, default False
        Whether to replace an existing folder; the caller has checked what it holds.

    Yields
    ------
    Path
        The folder to fill.

    Raises
    ------
    InputError
        If `path` exists and may not be replaced.
    CurateError
        If the disk is full or the place is not writable.
    """
    path = path.absolute()
    if not replace:
        _check_free(path)
    try:
        with hidden_folder(path) as partial:
            yield partial
            sync_filesystem(partial)
            if replace and path.exists():
                _exchange(partial, path)
            else:
                partial.rename(path)
            sync_filesystem(path.parent)
    except OSError as error:
        raise_system_fault(error, str(path))
        raise CurateError(
            f"{path}: cannot be written: {error.strerror or error}; check the folder and its "
            "permissions"
        ) from error


def _check_free(path: Path) -> None:
    if path.is_dir() and not any(path.iterdir()):
        return
    if path.exists() or path.is_symlink():
        raise InputError(f"{path}: is there already; name a folder that is not, or remove it")


@contextmanager
def hidden_folder(path: Path) -> Iterator[Path]:
    """Make a hidden folder beside a path, locked while the block runs and removed after it.

    Parameters
    ----------
    path : Path
        The path that it is named after. Folders left there by killed commands are removed.

    Yields
    ------
    Path
        The empty folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep_hidden(path)
    handle = None
    while handle is None:  # another process may sweep it away before it is locked
        partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}{PARTIAL_SUFFIX}")
        handle = _locked_folder(partial)
    try:
        yield partial
    finally:
        os.close(handle)
        shutil.rmtree(partial, ignore_errors=True)


def _locked_folder(partial: Path) -> int | None:
    """Make a folder and lock it; return its handle, or None if a sweep has got it first."""
    partial.mkdir()
    try:
        handle = os.open(partial, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = partial.exists()
    except OSError as error:  # where there are no locks, no sweep can get one either
        is_ours = not isinstance(error, BlockingIOError)
    if is_ours:
        return handle
    os.close(handle)
    return None


def sweep_hidden(path: Path) -> None:
    """Remove the hidden folders that dead commands left beside a path: those that nobody locks."""
    if not path.parent.is_dir():
        return
    for entry in os.scandir(path.parent):
        named = entry.name.startswith(f".{path.name}.") and entry.name.endswith(PARTIAL_SUFFIX)
        if not named or not entry.is_dir(follow_symlinks=False):
            continue
        with suppress(FileNotFoundError):  # another process has removed it
            _remove_unlocked(entry.path)


def _remove_unlocked(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


def _exchange(new: Path, old: Path) -> None:
    """Exchange two folders' names: atomically if the system can, else one after the other."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    names = os.fsencode(new), os.fsencode(old)
    if renameat2 and not renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE):
        return
    aside = new.with_name(f"{new.name.removesuffix(PARTIAL_SUFFIX)}.old{PARTIAL_SUFFIX}")
    old.rename(aside)
    new.rename(old)
    aside.rename(new)
