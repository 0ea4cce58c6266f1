"""Distinguish faults of the machine from faults of a picture.

A lack of open files, memory, disk space or a working drive says nothing about the picture that was
being read. Wherever a library's error becomes a row's outcome, `raise_system_fault` is called
first: it ends the run with a message about what is lacking. Finished work is kept.
"""

import errno
import mmap
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from webemo_curate.errors import CurateError
from webemo_curate.fault_words import is_of_memory, is_of_temporary_files, told_code
from webemo_curate.machine import free_memory

GO_ON: Final = "run the same command again: finished work is kept"

OPEN_FILES: Final = 65_536
"""Soft limit of open files to request: four times the sockets, files and libraries of the largest
crew. With a higher limit some started programs would walk through all numbers up to it."""

WORKING_MEMORY_BYTES: Final = 2 * 2**30
"""Memory in bytes that decoding the largest allowed picture may take; see
`runner.job.Resources`."""

REMEDIES: Final = {
    errno.EMFILE: "raise the limit of open files (ulimit -n 65536)",
    errno.ENFILE: "the machine has too many open files; end other programs",
    errno.ENOBUFS: "the system has no room for further connections; end other programs",
    errno.ENOMEM: "free some memory, or use fewer workers",
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space of your quota",
    errno.EFBIG: "raise the limit of the size of files (ulimit -f unlimited)",
    errno.EROFS: "the drive is read-only: check it",
    errno.EIO: "check the drive",
    errno.ESTALE: "check the network drive",
    errno.ENOLCK: "check the network drive",
    errno.EINTR: "the call was interrupted",
    errno.EAGAIN: "the system is short of processes or memory; end other programs",
}
"""Errors that never concern the file being read, with the remedy for each."""

RAISED_SPACE: Final = "raise the limit of address space (ulimit -v unlimited)"
"""The remedy for a lack of memory where a limit makes it, though much may be free."""

LIBRARIES_BYTES: Final = 768 * 2**20
"""Address space in bytes that a command needs to load NumPy, Arrow and what reads manifests; with
two cores they load with 650 MB. With less, their native parts end the process without a word."""

STATE: Final = Path("/proc/self/statm")
STATE_BYTES: Final = 256
DATA_AT: Final = 5
"""Linux's file with the pages of memory that a process has reserved for itself (proc(5))."""


NO_TEMPORARY: Final = (
    f"no temporary file can be made; set TMPDIR to a folder that has room and {GO_ON}"
)


class SystemFaultError(CurateError):
    """The machine lacks something; exit code 1."""


def raise_file_limit() -> None:
    """Raise this process's soft limit of open files as far as useful and allowed.

    Processes that it starts inherit the limit. A desktop's default of 256 or 1,024 is less than a
    fetch from many hosts, or a cluster's worker, needs.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def held_at_most(number: int) -> int:
    """Return how many files may be held open for speed: so many, or an eighth of the limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return number if soft == resource.RLIM_INFINITY else max(1, min(number, soft // 8))


def check_open_files(number: int) -> None:
    """Raise if fewer files can be opened now: some libraries do not end well half-way.

    Parameters
    ----------
    number : int
        Files, pipes and sockets.

    Raises
    ------
    OSError
        Which `raise_system_fault` knows.
    """
    with ExitStack() as opened:
        for _ in range(number):
            opened.callback(os.close, os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))


def check_address_space() -> None:
    """Raise if a limit leaves too little address space for the libraries that commands load.

    Raises
    ------
    SystemFaultError
        Which names the limit.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY and soft < LIBRARIES_BYTES:
        raise SystemFaultError(
            f"{soft // 2**20} MiB of address space are too little to load the libraries, which "
            f"need {LIBRARIES_BYTES // 2**20}; {RAISED_SPACE} and {GO_ON}"
        )


def raise_system_fault(error: BaseException, place: str = "") -> None:
    """Raise if an error is the machine's fault; return if it may be the picture's.

    Parameters
    ----------
    error : BaseException
        The error caught; the errors that it was raised from are checked too. Libraries hide some
        faults of the machine (a reader's module that cannot be opened counts as no reader), so it
        is also tested whether a file can be opened now.
    place : str, optional
        The file that was being read, for the message.

    Raises
    ------
    SystemFaultError
        If the operating system reports one of `REMEDIES`, or memory ran out. If plenty of memory is
        free, the picture asked for an absurd amount, which is the picture's fault.
    """
    fault = _system_fault(error) or _no_open_files()
    if fault is None:
        return
    if isinstance(fault, SystemFaultError):
        raise fault
    raise lacking(fault.errno or 0, place) from error


def lacking(code: int, place: str = "") -> SystemFaultError:
    """Return an error that names what the machine lacks, and the remedy.

    Parameters
    ----------
    code : int
        One of `REMEDIES`.
    place : str, optional
        The file that was being read.

    Returns
    -------
    SystemFaultError
        The error to raise.
    """
    where = f"{place}: " if place else ""
    return SystemFaultError(f"{where}{os.strerror(code)}; {_remedy(code)} and {GO_ON}")


def _remedy(code: int) -> str:
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    short = code in (errno.ENOMEM, errno.EAGAIN)  # the latter of a thread without a stack
    limited = short and soft != resource.RLIM_INFINITY
    return f"{RAISED_SPACE}, or {REMEDIES[code]}" if limited else REMEDIES[code]


def lacking_space(place: str) -> SystemFaultError:
    """Return the error for a full disk when a library gives no error number."""
    return lacking(errno.ENOSPC, place)


@contextmanager
def memory_limited(extra: int) -> Iterator[None]:
    """Limit the memory that this process may take in addition while the block runs; on Linux.

    A request beyond the limit gets a `MemoryError`. This is not the machine's fault:
    `raise_system_fault` checks the memory that would be free without this limit.

    Parameters
    ----------
    extra : int
        Bytes, for all threads together.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    try:
        state = os.pread(_state(), STATE_BYTES, 0)
    except OSError:
        yield
        return
    held = int(state.split()[DATA_AT]) * mmap.PAGESIZE
    limits = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min([held + extra, *limits]), hard))
    _lifted.append(soft)
    try:
        yield
    finally:
        _lifted.pop()
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


@contextmanager
def within_free_memory(place: str) -> Iterator[None]:
    """Let the block take the memory that is free, so that beyond it a message names the file.

    Linux grants more than there is, and then kills the process, or another one. Only the main
    thread sets the limit: it is the process's.

    Parameters
    ----------
    place : str
        The file that is read.

    Raises
    ------
    SystemFaultError
        If the block asks for more.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    try:
        with memory_limited(free_memory()):
            yield
    except MemoryError as error:
        raise lacking(errno.ENOMEM, place) from error


_states: dict[int, int] = {}
"""`STATE`, kept open for each process: opening it for each picture costs a tenth of a small one's
time."""


def _state() -> int:
    own = os.getpid()  # a forked copy of this process needs its own
    if own not in _states:
        _states[own] = os.open(STATE, os.O_RDONLY | os.O_CLOEXEC)
    return _states[own]


_lifted: list[int] = []
"""Soft limits to restore when the blocks of `memory_limited` end."""


def has_working_memory(needed: int = WORKING_MEMORY_BYTES) -> bool:
    """Return whether this process could take this much more memory now.

    Parameters
    ----------
    needed : int, optional
        Bytes of memory.

    Returns
    -------
    bool
        False if a limit of the process, or the machine's free memory, is lower.
    """
    if _lifted:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (_lifted[0], hard))
    try:
        mmap.mmap(-1, needed).close()  # reserves without using; process limits apply
    except (OSError, MemoryError):
        return False
    return free_memory() >= needed


def _system_fault(error: BaseException | None) -> SystemFaultError | OSError | None:
    """Return the machine's fault in a chain of errors; None if there is none."""
    while error is not None:
        if isinstance(error, SystemFaultError):
            return error
        if isinstance(error, OSError) and error.errno in REMEDIES:
            return error
        code = told_code(error)
        if code is not None:
            return OSError(code, "")
        if is_of_memory(error):
            return None if has_working_memory() else OSError(errno.ENOMEM, "")
        if is_of_temporary_files(error):
            return SystemFaultError(NO_TEMPORARY)
        error = error.__cause__ or error.__context__
    return None


def _no_open_files() -> OSError | None:
    """Return the reason why no file can be opened; None if one can."""
    try:
        check_open_files(1)
    except OSError as error:
        return error if error.errno in REMEDIES else None
    return None
