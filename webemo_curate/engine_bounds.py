"""The bounds of an engine of whole tables where nobody says them: memory and threads."""

from typing import Final

from webemo_curate.machine import usable_cores, usable_memory

SHARE: Final = 4
"""By default the engine takes one part in so many of the memory that this process may use."""

THREAD_MEMORY: Final = 128 * 2**20
"""Bytes for each thread: pages being read, and blocks being sorted, of which none can be spilled.

DuckDB's guide to its environment asks for 125 MB a thread. With 32 threads a sort failed within
256 MiB, and with two it did not.
"""


def default_memory() -> int:
    """Return how much memory an engine takes where nobody says: a part of what there is."""
    return usable_memory() // SHARE


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
    return max(1, min(usable_cores(), memory // THREAD_MEMORY))
