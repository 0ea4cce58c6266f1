"""Memory shared by two processes, in which one writes arrays that the other reads in place."""

import mmap
import os
from multiprocessing.reduction import DupFd
from typing import Any

import numpy as np
from numpy.typing import NDArray

ALIGNMENT = 64
"""Alignment of arrays in bytes, sufficient for every type."""


class Arena:
    """A block of shared memory that can be passed to a process when it is started.

    The block is anonymous: nothing of it remains once both processes have ended, and no file system
    limits it. Pages that are never touched take no memory.

    Parameters
    ----------
    size : int
        Size in bytes.
    """

    def __init__(self, size: int) -> None:
        handle = os.memfd_create("webemo-curate")
        os.ftruncate(handle, size)
        self._open(handle, size)

    def _open(self, handle: int, size: int) -> None:
        self._handle, self.size = handle, size
        self._memory = mmap.mmap(handle, size)

    def __getstate__(self) -> tuple[Any, int]:
        return DupFd(self._handle), self.size

    def __setstate__(self, state: tuple[Any, int]) -> None:
        handle, size = state
        self._open(handle.detach(), size)

    def array(self, offset: int, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
        """Return an array in the block.

        Parameters
        ----------
        offset : int
            Offset in bytes, a multiple of `ALIGNMENT`.
        shape : tuple of int
            Shape of the array.
        dtype : str
            NumPy's name of its type.

        Returns
        -------
        numpy.ndarray
            A view; the other process sees what is written to it.
        """
        return np.ndarray(shape, dtype, buffer=self._memory, offset=offset)

    def close(self) -> None:
        """Release the handle; the memory is freed when no array uses it any more."""
        os.close(self._handle)
