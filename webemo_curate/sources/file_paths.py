"""Paths of files that rows name: below the table's folder, unless the user allows others."""

from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.sources.cell_rules import ValueFaultError

MAX_PATH = 1024
SUSPICIOUS: Final = r"^[/~]|^[A-Za-z]:|(^|/)\.{1,2}(/|$)|//|[\x00-\x1f\x7f]"
WINDOWS: Final = r"^[^/]*\\[^/]*$"


def within(path: str, root: Path, *, outside: bool) -> str:
    """Return a path relative to the folder of a table's files.

    Parameters
    ----------
    path : str
        As the row names it.
    root : Path
        The folder, absolute.
    outside : bool
        Whether paths may lead out of it; such a one is returned whole.

    Returns
    -------
    str
        The path, without `.` and `..`.

    Raises
    ------
    ValueFaultError
        If it is too long or not printable, or leads out without permission.
    """
    if len(path.encode()) > MAX_PATH or not path.isprintable():
        raise ValueFaultError(f"is no path of up to {MAX_PATH} printable bytes", "correct it")
    whole = PurePosixPath(normpath(PurePosixPath(root) / path))
    if whole.is_relative_to(root):
        return whole.relative_to(root).as_posix()
    if outside:
        return whole.as_posix()
    raise ValueFaultError(
        f"leads out of {root} ({path[:100]!r})",
        "name the files' folder with --files DIR, or allow it with --outside",
    )


def has_windows_paths(paths: pa.Array) -> bool:
    r"""Return whether some paths have backslashes alone, as Windows writes them (`sad\\1.jpg`)."""
    return bool(pc.any(pc.match_substring_regex(paths, WINDOWS)).as_py())


def with_slashes(paths: pa.Array) -> pa.Array:
    """Return paths with slashes where Windows writes backslashes."""
    written = pc.match_substring_regex(paths, WINDOWS)
    return pc.if_else(written, pc.replace_substring(paths, "\\", "/"), paths)


def suspicious(paths: pa.Array) -> pa.Array:
    """Return which paths need `within`; all others lie below any folder."""
    return pc.or_(
        pc.match_substring_regex(paths, SUSPICIOUS), pc.greater(pc.binary_length(paths), MAX_PATH)
    )
