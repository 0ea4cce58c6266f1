"""Clusters built around their keepers."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from webemo_curate.duplicates.hamming import Pairs, Sides, pairs_of_each
from webemo_curate.duplicates.hash_keys import Hashes, Indices
from webemo_curate.duplicates.numbering import numbered
from webemo_curate.duplicates.parting import Parting

Within = Callable[[Sequence[Sides], int], list[Pairs]]


def near_pairs(
    hashes: Hashes, mirrored: Hashes, radius: int, within: Within = pairs_of_each
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
        Searches as `pairs_of_each` does.

    Returns
    -------
    Pairs
        All of them, in either order, rows of equal hashes included; a pair that is near upright and
        mirrored stands there for each, one that is near mirrored for each way round that is.
    """
    values, home = np.unique(hashes, return_inverse=True)
    queries, owner = np.unique(mirrored, return_inverse=True)
    upright, turned = _Members(home), _Members(owner)
    among, across = within([(values, None), (queries, values)], radius)
    shared = np.flatnonzero(upright.counts > 1)
    found = [
        _expanded(upright, upright, Pairs(shared, shared, np.zeros_like(shared))),
        _expanded(upright, upright, among),
        _expanded(turned, upright, across),
    ]
    return Pairs(*(np.concatenate(columns) for columns in zip(*found, strict=True)))


class _Members:
    """The rows of each value.

    Parameters
    ----------
    value : ndarray of int64
        Of each row.
    """

    def __init__(self, value: Indices) -> None:
        self.counts = np.bincount(value)
        self._rows = np.argsort(value, kind="stable")
        self._starts = np.cumsum(self.counts) - self.counts

    def of(self, wanted: Indices) -> tuple[Indices, Indices]:
        """Return the rows of each wanted value, and the place of the value each is of."""
        place, within = numbered(self.counts[wanted])
        return self._rows[self._starts[wanted][place] + within], place


def _expanded(lefts: _Members, rights: _Members, pairs: Pairs) -> Pairs:
    """Return the pairs of rows that have the values of pairs."""
    left, at = lefts.of(pairs.left)
    right, again = rights.of(pairs.right[at])
    return Pairs(left[again], right, pairs.distance[at][again])


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
