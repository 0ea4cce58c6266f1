"""Exact search for all pairs of 64-bit hashes within a Hamming distance, in bounded memory."""

from collections.abc import Iterator, Sequence
from math import comb
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from webemo_curate.duplicates.hash_buckets import Buckets
from webemo_curate.duplicates.hash_keys import HASH_BITS, Chunks, Hashes, Indices

MOST_AGREEING: Final = 8
"""Chunks that make a key at most."""

SORT_SECONDS: Final = 3e-8
COMPARE_SECONDS: Final = 1e-9
VISIT_SECONDS: Final = 3e-7
LIST_SECONDS: Final = 3e-9
"""What it takes to sort a hash, compare a pair, visit a bucket of both sets and list a value of a
key, among a million to ten million, on a core of an AMD EPYC. Which chunks are chosen follows from
them, not what is found."""

PASS_SECONDS: Final = 1.0
"""The same of a pass: one that is lost with its process costs little."""

Sides = tuple[Hashes, Hashes | None]
"""Queries and base of a search; see `pairs_within`."""


class Pairs(NamedTuple):
    """Pairs of hashes within the distance; see `pairs_within`.

    Attributes
    ----------
    left, right
        int64 positions in queries and base.
    distance
        int64 Hamming distances; float32 where pairs are held by another measure.
    """

    left: Indices
    right: Indices
    distance: npt.NDArray[Any]


class Pass(NamedTuple):
    """A part of a search, of about `PASS_SECONDS`.

    Attributes
    ----------
    start, stop
        Of the shares of all keys, those of the first key first.
    shares
        Into how many each key's work is cut.
    """

    start: int
    stop: int
    shares: int


def pairs_within(queries: Hashes, base: Hashes | None, radius: int) -> Pairs:
    """Find every query and base hash that differ in at most `radius` bits.

    Parameters
    ----------
    queries : ndarray of uint64, shape (N,), N < 2**32
        Hashes; give distinct ones, for each pair of equal hashes is a pair found.
    base : ndarray of uint64, shape (M,), M < 2**32, or None
        The others; None to find the pairs among the queries, each once, left < right.
    radius : int
        Largest Hamming distance.

    Returns
    -------
    Pairs
        Each pair once, in no particular order. Besides the pairs, memory grows with N + M alone.
    """
    search = Search(queries, base, radius)
    return joined([pairs for each in search.passes() for pairs in search.run(each)])


def pairs_of_each(searches: Sequence[Sides], radius: int) -> list[Pairs]:
    """Return what `pairs_within` finds for each of several searches."""
    return [pairs_within(*sides, radius) for sides in searches]


class Search:
    """The passes of one search: together they find each pair once, in any order and anywhere.

    Parameters
    ----------
    queries, base, radius : ndarray of uint64, ndarray of uint64 or None, int
        As of `pairs_within`.
    """

    def __init__(self, queries: Hashes, base: Hashes | None, radius: int) -> None:
        self._queries, self._base, self._radius = queries, base, radius
        self._sizes = len(queries), None if base is None else len(base)
        self._chunks = min(_cuts(radius), key=lambda chunks: _seconds(chunks, *self._sizes))
        self._buckets: tuple[int, Buckets] | None = None

    def passes(self) -> list[Pass]:
        """Cut the search into passes."""
        if 0 in self._sizes:
            return []
        keys = len(self._chunks.keys)
        seconds = _seconds(self._chunks, *self._sizes) / keys
        shares = max(1, round(seconds / PASS_SECONDS))
        step = max(1, int(PASS_SECONDS / seconds))
        starts = range(0, keys * shares, step)
        return [Pass(start, min(start + step, keys * shares), shares) for start in starts]

    def run(self, part: Pass) -> Iterator[Pairs]:
        """Yield what a pass finds."""
        for place in range(part.start, part.stop):
            key, share = divmod(place, part.shares)
            for left, right, distance in self._by_key(key).near(share, part.shares):
                yield Pairs(left, right, distance.astype(np.int64))

    def _by_key(self, key: int) -> Buckets:
        if self._buckets is None or self._buckets[0] != key:
            self._buckets = None  # not two at once
            chosen = self._chunks.keys[key]
            sets = self._queries, self._base
            self._buckets = key, Buckets(*sets, self._chunks, chosen, self._radius)
        return self._buckets[1]


def _cuts(radius: int) -> list[Chunks]:
    """Return the ways to cut hashes so that all pairs within a radius share a key."""
    most = min(MOST_AGREEING, HASH_BITS - radius)
    return [Chunks(1, 0), *(Chunks(radius + more, more) for more in range(1, most + 1))]


def _seconds(chunks: Chunks, queries: int, base: int | None) -> float:
    """Return what a search by keys may take where hashes are spread evenly."""
    values, others = 2**chunks.bits, queries if base is None else base
    sort = SORT_SECONDS * (queries + others)
    compare = COMPARE_SECONDS * queries * others / values
    visit = VISIT_SECONDS * min(values, queries, others) + LIST_SECONDS * values
    sides = 1 if base is None else 2
    return comb(chunks.count, chunks.agreeing) * (sort + compare + visit) * sides / 2


def joined(parts: list[Pairs]) -> Pairs:
    """Return the pairs of several parts, or none."""
    if not parts:
        empty = np.empty(0, dtype=np.int64)
        return Pairs(empty, empty, empty)
    return Pairs(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
