"""The bounds of an engine of whole tables where nobody says them: memory and threads."""

import os
from typing import Final

import psutil

SHARE: Final = 4
"""By default the engine takes one part in so many of the machine's memory."""

THREAD_MEMORY: Final = 128 * 2**20
"""Bytes for each thread: pages being read, and blocks being sorted, of which none can be spilled.

DuckDB's guide to its environment asks for 125 MB a thread. With 32 threads a sort failed within
256 MiB, and with two it did not.
"""


def default_memory() -> int:
    """Return how much memory an engine takes where nobody says: a part of the machine's."""
    total: int = psutil.virtual_memory().total
    return total // SHARE


def default_threads(memory: int) -> int:
    """Return how many threads an engine takes where nobody says.

    Parameters
    ----------
    memory : int
        Bytes that it holds at most.

    Returns
    -------
    int
        The cores that this process may use, or as many as `memory` has room for.
    """
    return max(1, min(len(os.sched_getaffinity(0)), memory // THREAD_MEMORY))
