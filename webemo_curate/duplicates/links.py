"""Links between pictures: which row was matched with which, by one method after another."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.clusters import cluster_by_keeper
from webemo_curate.duplicates.hamming import Pairs
from webemo_curate.duplicates.hash_keys import Indices
from webemo_curate.duplicates.measured import FoundPairs, MeasuredPairs, Method, judged
from webemo_curate.duplicates.parting import Parting
from webemo_curate.duplicates.relation import RelationLimits

if TYPE_CHECKING:
    from numpy.typing import NDArray

Source = Callable[[Method, Indices], MeasuredPairs]
"""Gives the pairs of some rows that a method proposes; positions are among all rows."""

KEEPER = "keeper"
"""In place of a method, of what was matched with nothing."""

METHODS = (KEEPER, *map(str, Method))
"""What `Links.method` holds places in."""

LOOKING = (Method.PHASH, Method.GRAYS, Method.FEATURES)
"""The methods that compare what pictures show, in their order."""


class Links:
    """Which row each row was matched with, and how; rows come best keeper first.

    A row is linked once, to a row that then stood for itself; the methods in turn make ways of
    at most four links, each of them measured, so chains cannot merge strangers.

    Parameters
    ----------
    size : int
        Number of rows.
    parting : Parting, optional
        What people said of pairs; nothing joins what they hold apart.
    """

    def __init__(self, size: int, parting: Parting | None = None) -> None:
        self.parting = parting
        self.parent = np.arange(size)
        self.distance = np.zeros(size, np.float32)
        self.threshold = np.full(size, np.nan, np.float32)
        self.correlation = np.full(size, np.nan, np.float32)
        self.method = np.zeros(size, np.int8)
        self.siblings = np.zeros((0, 2), np.int64)
        self.changed = np.zeros(0, np.float32)

    def keepers(self) -> Indices:
        """Return the rows that still stand for themselves."""
        return np.flatnonzero(self.by(KEEPER))

    def by(self, method: str) -> "NDArray[np.bool_]":
        """Tell which rows were matched by one of `METHODS`."""
        found: NDArray[np.bool_] = self.method == METHODS.index(method)
        return found

    def join(
        self,
        rows: Indices,
        parents: Indices,
        distance: "NDArray[np.floating[Any]]",
        correlation: "NDArray[np.floating[Any]]",
        method: Method,
        threshold: float,
    ) -> None:
        """Link rows to their parents; a row that is its own parent stays as it is."""
        moved = rows != parents
        rows = rows[moved]
        self.parent[rows] = parents[moved]
        self.distance[rows] = distance[moved]
        self.correlation[rows] = correlation[moved]
        self.threshold[rows] = threshold
        self.method[rows] = METHODS.index(method)

    def join_nearest(
        self,
        found: FoundPairs,
        distance: "NDArray[np.float32]",
        method: Method,
        threshold: float,
    ) -> None:
        """Link rows to the nearest keeper that they are the same as, and note siblings."""
        pairs = found.where(found.same)
        near = Pairs(pairs.first, pairs.second, distance[found.same])
        keeper, gap = cluster_by_keeper(len(self.parent), near, self.parting)
        correlation = correlation_of(pairs, keeper)
        rows = np.arange(len(keeper))
        self.join(rows, keeper, gap, correlation, method, threshold)
        kin = found.where(~found.same | self._parted(found))
        sides = np.stack([kin.first, kin.second], axis=1)
        self.siblings = np.concatenate([self.siblings, sides])
        self.changed = np.concatenate([self.changed, kin.changed])

    def _parted(self, found: FoundPairs) -> "NDArray[np.bool_]":
        """Tell which pairs are the same by their measures, and held apart by a person."""
        parted = np.zeros(len(found.same), bool)
        if self.parting is not None:
            for place in np.flatnonzero(found.same).tolist():
                pair = int(found.first[place]), int(found.second[place])
                parted[place] = not self.parting.may_join(*pair)
        return parted

    def join_reviewed(self) -> None:
        """Link the clusters of pictures that a person put together, the best keeper first."""
        if self.parting is None:
            return
        unknown = np.full(1, np.nan, np.float32)
        for pair in self.parting.same:
            first, second = sorted(self.roots(np.array(pair)).tolist())
            row, parent = np.array([second]), np.array([first])
            self.join(row, parent, unknown, unknown, Method.REVIEW, np.nan)

    def sibling_clusters(self) -> Indices:
        """Return the pairs of keepers whose clusters hold siblings; shape (pairs, 2)."""
        return self.roots(self.siblings)

    def roots(self, rows: Indices) -> Indices:
        """Return the keepers of some rows' clusters."""
        root = self.parent[rows]
        while (root != self.parent[root]).any():
            root = self.parent[root]
        return root


def correlation_of(pairs: FoundPairs, keeper: Indices) -> "NDArray[np.float32]":
    """Return the correlation measured of each row and its keeper; 1 for a keeper."""
    measured = np.ones(len(keeper), np.float32)
    for later, earlier in ((pairs.first, pairs.second), (pairs.second, pairs.first)):
        chosen = keeper[later] == earlier
        measured[later[chosen]] = pairs.correlation[chosen]
    return measured


def link_looks(links: Links, source: Source, config: DedupConfig) -> None:
    """Join pictures that look the same: whole frames first, then crops and captions.

    Parameters
    ----------
    links : Links
        Equal pixels are linked already; changed in place.
    source : callable
        Measures pairs, or has measured them.
    config : DedupConfig
        Says what is the same.
    """
    limits = RelationLimits.of(config)
    for method in LOOKING:
        measured = source(method, links.keepers())
        hashed = method == Method.PHASH
        if hashed:
            measured = measured.where(measured.distance <= config.distance)
        found = judged(measured, limits)
        gap = found.distance if hashed else 1 - found.correlation
        threshold = config.distance if hashed else 1 - config.min_correlation
        links.join_nearest(found, gap, method, threshold)
