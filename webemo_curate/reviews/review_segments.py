"""Files of review lines: appended to and flushed, read up to a torn end."""

import os
from collections.abc import Iterator
from pathlib import Path

from webemo_curate.errors import CurateError, InputError
from webemo_curate.reviews.review import Review
from webemo_curate.reviews.review_lines import from_line
from webemo_curate.storage.appending import open_appending
from webemo_curate.storage.atomic import flush_file
from webemo_curate.system_faults import raise_system_fault

MAX_LINE = 2**15
"""Bytes; the longest review is shorter."""


def append_bytes(path: Path, content: bytes) -> int:
    """Append to a file, and wait until it is on the disk.

    Parameters
    ----------
    path : Path
        Made, with its folder, if it is not there.
    content : bytes
        What is added. If it cannot be, the file is what it was as far as the system lets it be.

    Returns
    -------
    int
        Bytes of the file.

    Raises
    ------
    CurateError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = open_appending(path)
        try:
            size = os.fstat(handle).st_size
            _write_whole(handle, size, content)
        finally:
            os.close(handle)
        if not size:
            flush_file(path.parent)
            flush_file(path.parent.parent)
    except OSError as error:
        raise_system_fault(error, f"{path}: the decision cannot be written")
        raise CurateError(
            f"{path}: the decision cannot be written: {error.strerror}; check the folder and its "
            "permissions"
        ) from error
    return size + len(content)


def _write_whole(handle: int, size: int, content: bytes) -> None:
    """Write to a file's end and flush it; take back what was written of a failed one."""
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, size)
        raise


def read_lines(path: Path, place: str) -> Iterator[Review]:
    """Yield the reviews of a segment; its last line may be torn by a kill, and is left out then.

    Parameters
    ----------
    path : Path
        The file.
    place : str
        Its name in messages.

    Raises
    ------
    InputError
        If a whole line is no review: a decision would be lost.
    """
    try:
        with path.open("rb") as stream:
            lines = iter(lambda: stream.readline(MAX_LINE), b"")
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n") and len(line) < MAX_LINE:
                    return
                try:
                    yield from_line(line)
                except InputError as error:
                    raise InputError(
                        f"{place}, line {number}: {error}; mend the line or remove it"
                    ) from error
    except FileNotFoundError:
        raise
    except OSError as error:
        raise_system_fault(error, place)
        raise CurateError(f"{place}: cannot be read ({error}); check the file") from error
