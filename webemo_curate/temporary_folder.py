"""The folder for temporary files; a machine that lets none be made says what it lacks."""

import errno
import os
import tempfile
from pathlib import Path

from webemo_curate.system_faults import raise_system_fault


def temporary_folder() -> Path:
    """Return the folder for temporary files: `TMPDIR`, or the system's own.

    Returns
    -------
    Path
        The folder that `tempfile` uses.

    Raises
    ------
    SystemFaultError
        If no file can be written in any that may serve: for lack of open files or space, or because
        each is missing or read-only.
    """
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        _raise_lack(os.environ.get("TMPDIR", os.curdir))
        raise_system_fault(error)
        raise


def _raise_lack(folder: str) -> None:
    """Raise if a file here lacks what files elsewhere would lack too.

    `tempfile` tries each folder and forgets why none would do.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"written")
    except OSError as error:
        if error.errno != errno.EROFS:
            raise_system_fault(error, folder)
