"""A bound on what a worker's process holds: beyond it, the process ends itself.

A limit of the operating system would count address space, of which CUDA reserves more than any
machine has; so a thread looks at what is really held.
"""

import os
import signal
import threading
import time

import psutil

LOOK_SECONDS = 0.2
"""Between two looks; a decoder fills some hundred megabytes in that time."""


def held_bytes(process: int | None = None) -> int:
    """Return the memory that is a process's own: not mapped files, nor what others share.

    Parameters
    ----------
    process : int, optional
        Its number; by default this process.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    psutil.NoSuchProcess
        If it has ended.
    """
    info = psutil.Process(process).memory_info()
    own: int = info.rss - getattr(info, "shared", 0)  # told on Linux alone
    return own


def end_beyond(limit_bytes: int) -> None:
    """Kill this process as soon as it is seen to hold more.

    Parameters
    ----------
    limit_bytes : int
        Most that it may hold, counted as in `held_bytes`.
    """
    threading.Thread(target=_watch, args=(limit_bytes,), daemon=True).start()


def _watch(limit_bytes: int) -> None:
    while held_bytes() <= limit_bytes:
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
