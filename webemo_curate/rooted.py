"""Keep what is read, written or removed below a root from leading anywhere else.

A key is a plain relative path. Every part on the way must be a folder, and the end a regular file
or nothing: a link could lead out of the root, and a pipe or device could block its reader. The root
itself may be a link, as the user named it.
"""

import hashlib
import os
import stat
from collections.abc import Sequence
from functools import partial
from io import FileIO
from pathlib import Path

from webemo_curate.errors import InputError
from webemo_curate.system_faults import raise_system_fault

ODD = r"^$|^/|//|/$|(?:^|/)\.{1,2}(?:/|$)|\x00"
"""Matches what is not a plain relative path, in Arrow's column searches; see `is_plain`."""

ODD_PARTS = frozenset(("", ".", ".."))
"""Parts that no plain relative path has; an absolute path begins with an empty part."""

LINK, SPECIAL = "is a link", "is neither a file nor a folder"

FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""How files are opened: no link is followed, and no pipe waited for."""


class NotRegularError(OSError):
    """What lies at a path is not a regular file."""


def is_plain(key: str) -> bool:
    """Return whether a key is a plain relative path, without `.`, `..` and empty parts.

    Parameters
    ----------
    key : str
        A POSIX path.

    Returns
    -------
    bool
        False for the root itself too.
    """
    return ODD_PARTS.isdisjoint(key.split("/")) and "\0" not in key


def below(root: Path, key: str, *, replaced: bool = False) -> Path:
    """Return the path of a key below a root.

    Parameters
    ----------
    root : Path
        Any folder; it may be a link.
    key : str
        A POSIX path relative to it; what it names need not exist.
    replaced : bool, default False
        Whether the caller removes or replaces the last name itself, which may then be a link.

    Returns
    -------
    Path
        `root / key`.

    Raises
    ------
    InputError
        If the key is not plain, or a link, pipe or device lies on the way or at its end.
    """
    if not is_plain(key):
        raise InputError(f"{root}: {key!r} is no path below this folder; correct or delete it")
    path = str(root)  # joined as text for speed: called for every picture
    parts = key.split("/")
    for place, part in enumerate(parts, start=1):
        path = f"{path}/{part}"
        if not (replaced and place == len(parts)) and not _check(path):
            break
    return root / key


def check_tree(folder: Path) -> None:
    """Raise if a link, pipe or device lies anywhere in a folder.

    Parameters
    ----------
    folder : Path
        A folder whose files are about to be read by path; it may be a link, or missing.

    Raises
    ------
    InputError
        Names the first.
    """
    for place, folders, files in os.walk(folder):
        for name in sorted((*folders, *files)):
            _check(f"{place}/{name}")


def open_below(root: Path, key: str) -> FileIO:
    """Open a file below a root for reading, without following links, even ones made meanwhile.

    Parameters
    ----------
    root : Path
        Any folder; it may be a link.
    key : str
        A POSIX path relative to it.

    Returns
    -------
    FileIO
        An unbuffered file.

    Raises
    ------
    OSError
        If there is no such regular file.
    """
    if not is_plain(key):
        raise NotRegularError(f"{key!r} is no path below {root}")
    *folders, name = key.split("/")
    place = open_folder(root, folders)
    try:
        return _as_regular(os.open(name, FLAGS, dir_fd=place), key)
    finally:
        os.close(place)


def open_folder(root: Path, folders: Sequence[str]) -> int:
    """Open a folder below a root, part by part, without following links.

    Parameters
    ----------
    root : Path
        Any folder; it may be a link.
    folders : sequence of str
        The parts on the way, from the root.

    Returns
    -------
    int
        Its descriptor, which the caller closes.

    Raises
    ------
    OSError
        If there is no such folder.
    """
    place = os.open(root, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    try:
        for folder in folders:
            inner = os.open(folder, FLAGS | os.O_DIRECTORY, dir_fd=place)
            os.close(place)
            place = inner
    except OSError:
        os.close(place)
        raise
    return place


def read_below(root: Path, key: str) -> bytes:
    """Read a whole file below a root; raises the errors of `open_below`."""
    with open_below(root, key) as stream:
        return stream.read()


def open_regular(path: Path) -> FileIO:
    """Open a file that the user named, following links, unless reading it could block.

    Parameters
    ----------
    path : Path
        Any path.

    Returns
    -------
    FileIO
        An unbuffered file.

    Raises
    ------
    OSError
        If there is no such regular file.
    """
    return _as_regular(os.open(path, FLAGS & ~os.O_NOFOLLOW), str(path))


def read_regular(path: Path, at_most: int | None = None) -> bytes:
    """Read a file that the user named, or its first bytes; raises the errors of `open_regular`."""
    with open_regular(path) as stream:
        return stream.read() if at_most is None else stream.read(at_most)


def regular_digest(path: Path, option: str | None = None, algorithm: str = "sha256") -> str:
    """Return the digest, in hex, of a file that the user named.

    Parameters
    ----------
    path : Path
        Any path.
    option : str, optional
        The option that named the file, for messages.
    algorithm : str, default "sha256"
        hashlib's name; other algorithms serve to compare a file with its publisher's digest.

    Returns
    -------
    str
        Digest of all its bytes.

    Raises
    ------
    InputError
        If there is no such regular file, or it cannot be read.
    """
    try:
        with open_regular(path) as stream:
            return hashlib.file_digest(stream, partial(_new_digest, algorithm)).hexdigest()
    except OSError as error:
        raise_system_fault(error, str(path))
        named = f"{option} {path}" if option else path
        raise InputError(f"{named}: cannot be read: {error.strerror or error}") from error


def _new_digest(algorithm: str) -> "hashlib._Hash":
    return hashlib.new(algorithm, usedforsecurity=False)


def check_replaceable(path: Path) -> None:
    """Raise if a path names something other than a file, which must not be overwritten.

    Parameters
    ----------
    path : Path
        Path of the file to write.

    Raises
    ------
    InputError
        If a folder, device or pipe is there, directly or through a link.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # missing, or writing will report the error
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a device, pipe or socket"
        raise InputError(f"{path}: is {what}; name a file")


def _check(path: str) -> bool:
    """Raise if a path leads elsewhere or may block; return whether it exists."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    if stat.S_ISLNK(mode):
        raise InputError(f"{Path(path)}: {LINK}, and nothing in a workspace may be one; remove it")
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise InputError(f"{Path(path)}: {SPECIAL}; remove it")
    return True


def _as_regular(handle: int, name: str) -> FileIO:
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotRegularError(f"{name}: no regular file")
    return FileIO(handle)
