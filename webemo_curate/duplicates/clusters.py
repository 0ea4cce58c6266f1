"""Clusters built around their keepers."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from webemo_curate.duplicates.hamming import Hashes, Indices, Pairs, pairs_within
from webemo_curate.duplicates.parting import Parting

Within = Callable[[Hashes, Hashes, int], Pairs]


def near_pairs(
    hashes: Hashes, mirrored: Hashes, radius: int, within: Within = pairs_within
) -> Pairs:
    """Find rows whose pictures are near each other, upright or mirrored.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (n,)
        Of each row's picture.
    mirrored : ndarray of uint64, shape (n,)
        Of its mirror image.
    radius : int
        Largest distance in bits.
    within : callable, optional
        Searches as `pairs_within` does.

    Returns
    -------
    Pairs
        All of them, in either order, once for each way round; rows of equal hashes included.
    """
    values, home = np.unique(hashes, return_inverse=True)
    found = [_expanded(values, home, side, radius, within) for side in (hashes, mirrored)]
    return Pairs(*(np.concatenate(columns) for columns in zip(*found, strict=True)))


def _expanded(values: Hashes, home: Indices, side: Hashes, radius: int, within: Within) -> Pairs:
    queries, owner = np.unique(side, return_inverse=True)
    pairs = within(queries, values, radius)
    left, at = _members(owner, pairs.left)
    right, again = _members(home, pairs.right[at])
    return Pairs(left[again], right, pairs.distance[at][again])


def _members(owner: Indices, wanted: Indices) -> tuple[Indices, Indices]:
    """Return the rows of each wanted value, and the place of the value each is of."""
    rows = np.argsort(owner, kind="stable")
    counts = np.bincount(owner)
    starts = np.cumsum(counts) - counts
    sizes = counts[wanted]
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    place = np.repeat(np.arange(len(wanted)), sizes)
    return rows[starts[wanted][place] + within], place


def cluster_by_keeper(
    size: int, pairs: Pairs, parting: Parting | None = None
) -> tuple[Indices, npt.NDArray[np.float32]]:
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
    parting : Parting, optional
        Which rows may not be one picture; a row then joins the nearest keeper that it may join.

    Returns
    -------
    keeper : ndarray of int64, shape (size,)
        The row's keeper; itself for a keeper.
    distance : ndarray of float32, shape (size,)
        Distance to the keeper; 0 for a keeper.
    """
    later = np.maximum(pairs.left, pairs.right)
    earlier = np.minimum(pairs.left, pairs.right)
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
            if parting is not None:
                if not parting.may_join(row, candidate):
                    continue
                parting.join(row, candidate)
            keeper[row], gap[row] = candidate, bits
    return keeper, gap
