"""Memory that two processes share: arrays that one writes the other reads where they lie."""

import mmap
import os
from multiprocessing.reduction import DupFd
from typing import Any

import numpy as np
from numpy.typing import NDArray

ALIGNMENT = 64
"""Bytes; whatever type an array has, it may begin there."""


class Arena:
    """A block of shared memory; it can be handed to a process that is being started.

    It is anonymous: nothing of it is left when both processes have ended, and no file system bounds
    it. Pages that are never touched take no memory.

    Parameters
    ----------
    size : int
        Bytes.
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
        """Return an array that lies in the block.

        Parameters
        ----------
        offset : int
            Bytes from the beginning, a multiple of `ALIGNMENT`.
        shape : tuple of int
            Its shape.
        dtype : str
            Its type, as NumPy names it.

        Returns
        -------
        numpy.ndarray
            A view; what is written to it the other process sees.
        """
        return np.ndarray(shape, dtype, buffer=self._memory, offset=offset)

    def close(self) -> None:
        """Give the handle back; the memory goes when no array looks at it any more."""
        os.close(self._handle)
