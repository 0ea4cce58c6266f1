"""Faults of the machine, told from faults of a picture.

What the system lacks (open files, memory, disk, a working drive) says nothing about the picture
that was being read when it ran out. Wherever an error of a library becomes a row's outcome,
`raise_system_fault` is called first: it ends the run with what is lacking; finished work is kept.
"""

import errno
import os
from typing import Final

from webemo_curate.errors import CurateError

GO_ON: Final = "run the same command again: finished work is kept"

REMEDIES: Final = {
    errno.EMFILE: "raise the limit of open files (ulimit -n 65536)",
    errno.ENFILE: "the machine has too many open files; end other programs",
    errno.ENOMEM: "free some memory, or use fewer workers",
    errno.ENOBUFS: "the system is short of network buffers; end other programs",
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space of your quota",
    errno.EIO: "check the drive",
    errno.ESTALE: "check the network drive",
    errno.ENOLCK: "check the network drive",
    errno.EINTR: "the call was interrupted",
    errno.EAGAIN: "the system is short of processes or memory; end other programs",
}
"""Errors that are never about the file in hand, and what to do about each."""


class SystemFaultError(CurateError):
    """The machine lacks something; exit code 1."""


def raise_system_fault(error: BaseException, place: str = "") -> None:
    """Raise if an error is the machine's, and return if it may be the picture's.

    Parameters
    ----------
    error : BaseException
        What was caught; the errors that it was raised from are looked at too.
    place : str, optional
        The file that was in hand, for the message.

    Raises
    ------
    SystemFaultError
        If memory ran out, or the operating system reports one of `REMEDIES`.
    """
    fault = _system_fault(error)
    if fault is None:
        return
    if isinstance(fault, SystemFaultError):
        raise fault
    code = errno.ENOMEM if isinstance(fault, MemoryError) else fault.errno
    where = f"{place}: " if place else ""
    remedy = f"{REMEDIES[code or 0]} and {GO_ON}"
    raise SystemFaultError(f"{where}{os.strerror(code or 0)}; {remedy}") from error


def _system_fault(error: BaseException | None) -> SystemFaultError | MemoryError | OSError | None:
    """Return the machine's fault in a chain of errors, if there is one."""
    while error is not None:
        if isinstance(error, SystemFaultError | MemoryError):
            return error
        if isinstance(error, OSError) and error.errno in REMEDIES:
            return error
        error = error.__cause__ or error.__context__
    return None
