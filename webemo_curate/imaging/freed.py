"""Decide what becomes of freed memory: the C library keeps it, or gives it back to the system."""

import ctypes
from contextlib import suppress
from functools import cache
from typing import Any, Final

LARGE_PIXELS: Final = 4 * 10**6
"""Pixels of a picture whose decoding frees 16 MB or more, worth milliseconds to give back."""

KEPT_BYTES: Final = 32 * 2**20
"""Most freed memory that `keep_freed` lets a process keep at the end of its heap."""

MAPPED_FROM: Final = 8 * 2**20
"""Bytes from which a block is still taken from the system by itself, and given back when freed."""

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Options of `mallopt` (malloc.h of glibc)."""


def keep_freed() -> None:
    """Let the C library keep what small pictures free, for the next ones.

    For processes that work on one picture after another. By default glibc gives blocks of such
    sizes back at once, and the system clears their pages anew for each picture: a third of the time
    of decoding and resizing a small photo.
    """
    if option := _of_the_c_library("mallopt"):
        option(TRIM_THRESHOLD, KEPT_BYTES)
        option(MMAP_THRESHOLD, MAPPED_FROM)


def give_back_after(pixels: int) -> None:
    """Give back what decoding a large picture freed; glibc's threads would keep most of it.

    Parameters
    ----------
    pixels : int
        Pixels that were decoded; nothing is done for few.
    """
    if pixels >= LARGE_PIXELS and (trim := _of_the_c_library("malloc_trim")):
        trim(0)


@cache
def _of_the_c_library(name: str) -> Any:
    """Return a function of glibc; None with another C library."""
    with suppress(OSError, AttributeError, TypeError):
        return getattr(ctypes.CDLL(None), name)
    return None
