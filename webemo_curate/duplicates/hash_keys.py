"""Keys of 64-bit hashes: chunks of which, of two near hashes, some agree.

Hashes are cut into `count` chunks. Two that differ in at most `radius` bits differ in at most as
many chunks, so they agree in the other `count - radius` at least (Norouzi, Punjani and Fleet, "Fast
Search in Hamming Space with Multi-Index Hashing", CVPR 2012, with several chunks for one). Every
choice of that many chunks is a key, and hashes that agree in a key stand in one bucket.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

HASH_BITS: Final = 64

BLOCK: Final = 2**15
"""Hashes whose keys are taken at a time: they stay in a core's cache."""

WIDEST: Final = 22
"""Bits of a key at most: there are 2**22 buckets of 8 bytes each."""

RADIX_BITS: Final = 16
"""Bits by which NumPy sorts in linear time."""

Hashes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]
Key = tuple[int, ...]
"""Chunks, ascending, that agree; none of them where all hashes share one bucket."""


@dataclass(frozen=True)
class Chunks:
    """How hashes are cut, and how many chunks make a key.

    Attributes
    ----------
    count
        Number of chunks; their widths differ by one bit at most.
    agreeing
        Number of chunks that agree in each pair within the radius: `count` less the radius.
    """

    count: int
    agreeing: int

    @property
    def bits(self) -> float:
        """Return how many bits of a key are looked at, on average."""
        return min(WIDEST, HASH_BITS * self.agreeing / self.count)

    @cached_property
    def keys(self) -> list[Key]:
        """Return all keys, in order."""
        return [*combinations(range(self.count), self.agreeing)]

    @cached_property
    def _edges(self) -> list[tuple[int, int]]:
        """Return the lowest bit of each chunk, and the one after its highest."""
        return [*pairwise(HASH_BITS * index // self.count for index in range(self.count + 1))]

    def values(self, hashes: Hashes, key: Key) -> tuple[npt.NDArray[np.uint32], int]:
        """Return the bits of a key of each hash, uint32, and how many values there may be.

        Of a key of more than `WIDEST` bits some are left out.
        """
        values = np.zeros(len(hashes), np.uint32)
        most = WIDEST // max(1, len(key))
        parts = [(low, min(high - low, most)) for low, high in map(self._edges.__getitem__, key)]
        for start in range(0, len(hashes) if parts else 0, BLOCK):
            block, found = hashes[start : start + BLOCK], values[start : start + BLOCK]
            for low, width in parts:
                found <<= np.uint32(width)
                found |= _bits(block, low, width).astype(np.uint32)
        return values, 1 << sum(width for _, width in parts)

    def found_first(self, differing: Hashes, key: Key) -> npt.NDArray[np.bool_]:
        """Tell which pairs have a key as the first that they agree in: each counts there alone.

        Parameters
        ----------
        differing : ndarray of uint64
            Bits in which two hashes differ.
        key : Key
            The key in whose bucket both stand.
        """
        first = np.ones(len(differing), bool)
        for chunk in range(key[-1] + 1 if key else 0):
            low, high = self._edges[chunk]
            first &= (_bits(differing, low, high - low) == 0) == (chunk in key)
        return first


def _bits(hashes: Hashes, low: int, width: int) -> Hashes:
    return (hashes >> np.uint64(low)) & np.uint64((1 << width) - 1)


def order_of(values: npt.NDArray[np.uint32], largest: int) -> npt.NDArray[Any]:
    """Return the places of values below `largest` in ascending order, in linear time."""
    low = values.astype(np.uint16)
    order = np.argsort(low, kind="stable")
    if largest > 1 << RADIX_BITS:
        high = (values >> np.uint32(RADIX_BITS)).astype(np.uint16)
        order = order[np.argsort(high[order], kind="stable")]
    return order
