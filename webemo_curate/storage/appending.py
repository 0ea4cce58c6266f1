"""Files that are appended to: never through a link, nor into a pipe or device."""

import os
import stat
from pathlib import Path

from webemo_curate.rooted import NotRegularError

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_appending(path: Path) -> int:
    """Open a file to append to it.

    Parameters
    ----------
    path : Path
        Made, with the user's permissions, if it is not there; its folder is.

    Returns
    -------
    int
        Its descriptor.

    Raises
    ------
    OSError
        If it cannot be opened, or is a link or no regular file.
    """
    handle = os.open(path, _FLAGS, 0o666)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotRegularError(f"{path}: no regular file")
    return handle
