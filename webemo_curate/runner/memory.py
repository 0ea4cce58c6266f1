"""Limit the memory of a worker's process: beyond the limit, the process ends itself.

The operating system's limit would count address space, of which CUDA reserves more than any machine
has. So a thread checks the memory in use.
"""

import os
import signal
import threading
import time

import psutil

LOOK_SECONDS = 0.2
"""Seconds between two checks; a decoder fills about a hundred megabytes in this time."""


def held_bytes(process: int | None = None) -> int:
    """Return the memory of a process alone, without mapped files and shared memory.

    Parameters
    ----------
    process : int, optional
        Process id; by default this process.

    Returns
    -------
    int
        Memory in bytes.

    Raises
    ------
    psutil.NoSuchProcess
        If the process has ended.
    """
    info = psutil.Process(process).memory_info()
    own: int = info.rss - getattr(info, "shared", 0)  # reported on Linux only
    return own


def end_beyond(limit_bytes: int) -> None:
    """Kill this process as soon as it exceeds a limit.

    Parameters
    ----------
    limit_bytes : int
        The limit, counted as in `held_bytes`.
    """
    threading.Thread(target=_watch, args=(limit_bytes,), daemon=True).start()


def _watch(limit_bytes: int) -> None:
    while held_bytes() <= limit_bytes:
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
