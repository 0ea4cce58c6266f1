"""Give memory that was freed back to the system, where the C library would keep it."""

import ctypes
from contextlib import suppress
from functools import cache
from typing import Any, Final

LARGE_PIXELS: Final = 4 * 10**6
"""Pixels of a picture whose decoding frees 16 MB or more, worth milliseconds to give back."""


def give_back_after(pixels: int) -> None:
    """Give back what decoding a large picture freed; glibc's threads would keep most of it.

    Parameters
    ----------
    pixels : int
        Pixels that were decoded; nothing is done for few.
    """
    if pixels >= LARGE_PIXELS and (trim := _trim()):
        trim(0)


@cache
def _trim() -> Any:
    """Return glibc's `malloc_trim`; None with another C library."""
    with suppress(OSError, AttributeError, TypeError):
        return ctypes.CDLL(None).malloc_trim
    return None
