"""Exact search among 64-bit hashes, and clusters built around their keepers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK_PAIRS = 1 << 24
"""Pairs compared at a time: 128 MB of distances, whatever the number of hashes."""

Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Pairs:
    """Pairs of rows and their distances.

    Attributes
    ----------
    first, second
        Row numbers, int64, shape (pairs,).
    distance
        Hamming distances in bits, uint8, shape (pairs,).
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    distance: NDArray[np.uint8]


def near_pairs(hashes: Hashes, others: Hashes, radius: int) -> Pairs:
    """Find all pairs of a hash and another within a Hamming distance, exactly.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (n,)
        Left side.
    others : ndarray of uint64, shape (m,)
        Right side.
    radius : int
        Largest distance in bits, 0 to 64.

    Returns
    -------
    Pairs
        Sorted by `first`, then `second`; memory is bounded by blocks of `BLOCK_PAIRS`.
    """
    rows = max(1, BLOCK_PAIRS // max(1, len(others)))
    found = [
        _block(hashes[start : start + rows], others, radius, start)
        for start in range(0, len(hashes), rows)
    ]
    if not found:
        none = np.empty(0, np.int64)
        return Pairs(none, none, np.empty(0, np.uint8))
    first, second, distance = (np.concatenate(part) for part in zip(*found, strict=True))
    return Pairs(first, second, distance)


def cluster_by_keeper(size: int, pairs: Pairs) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Assign rows to keepers so that every member is near its keeper itself.

    Rows come in the order of preference. A row joins the nearest keeper before it (the earlier one
    if two are as near) or becomes a keeper: a chain of near pairs cannot merge strangers, as
    connected components would.

    Parameters
    ----------
    size : int
        Number of rows.
    pairs : Pairs
        Near pairs; each may stand once or in both orders.

    Returns
    -------
    keeper : ndarray of int64, shape (size,)
        The row's keeper; itself for a keeper.
    distance : ndarray of float32, shape (size,)
        Distance to the keeper; 0 for a keeper.
    """
    later = np.maximum(pairs.first, pairs.second)
    earlier = np.minimum(pairs.first, pairs.second)
    proper = later != earlier
    later, earlier, distance = later[proper], earlier[proper], pairs.distance[proper]
    order = np.lexsort((earlier, distance, later))
    keeper = np.arange(size, dtype=np.int64)
    gap = np.zeros(size, np.float32)
    # One pass suffices: when a row's turn comes, all rows before it are settled.
    for row, candidate, bits in zip(
        later[order].tolist(), earlier[order].tolist(), distance[order].tolist(), strict=True
    ):
        if keeper[row] == row and keeper[candidate] == candidate:
            keeper[row], gap[row] = candidate, bits
    return keeper, gap


def _block(
    hashes: Hashes, others: Hashes, radius: int, offset: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    distances = np.bitwise_count(hashes[:, None] ^ others[None, :])
    first, second = np.nonzero(distances <= radius)
    return first + offset, second, distances[first, second]
