"""Exact search for all pairs of 64-bit hashes within a Hamming distance, in bounded memory.

Multi-index hashing (Norouzi, Punjani and Fleet, "Fast Search in Hamming Space with Multi-Index
Hashing", CVPR 2012): hashes are cut into chunks; by the pigeonhole principle two hashes within the
distance nearly agree in at least one chunk, and chunks that nearly agree are found in a table.
"""

from collections.abc import Iterator
from itertools import combinations, pairwise
from math import comb
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

HASH_BITS = 64
WIDEST_CHUNK = 22
"""Bits of the widest chunk: its table of 2**22 offsets takes 16 MiB."""

BLOCK = 2**21
"""Candidate pairs compared at a time: about 100 MB of temporaries."""

LOOKUP_COST = 4.0
CANDIDATE_COST = 8.0
SLOT_COST = 1.0
SCAN_COST = 1.0
"""Relative costs of a table lookup, a candidate compared, a table slot and a pair scanned."""

PASS_COST = 1e9
"""The same of a pass: some seconds, so that a pass that is lost with its process costs little."""

SCAN: Final = -1
"""In place of a chunk's index."""

Hashes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]


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


class HashPart(NamedTuple):
    """Neighboring bits of a hash, and how many of them may differ for a pair to be found here.

    Attributes
    ----------
    shift, width
        Lowest bit and number of bits.
    radius
        Bits that may differ.
    """

    shift: int
    width: int
    radius: int

    def of(self, hashes: Hashes) -> Indices:
        """Return the chunk's bits of each hash, as int64."""
        bits = (hashes >> np.uint64(self.shift)) & np.uint64((1 << self.width) - 1)
        return bits.astype(np.int64)

    @property
    def flip_count(self) -> int:
        """How many ways there are in which the chunk may differ."""
        return sum(comb(self.width, count) for count in range(self.radius + 1))

    def flips(self) -> list[int]:
        """Return every way in which the chunk may differ, as a mask."""
        return [
            sum(1 << bit for bit in bits)
            for count in range(self.radius + 1)
            for bits in combinations(range(self.width), count)
        ]


class Pass(NamedTuple):
    """A part of a search: some of the ways in which a chunk may differ, or queries to scan with.

    Attributes
    ----------
    chunk
        Index of the chunk; `SCAN` where all pairs are compared.
    start, stop
        Of the ways in which it may differ; of the queries in a scan.
    """

    chunk: int
    start: int
    stop: int


def pairs_within(queries: Hashes, base: Hashes, radius: int) -> Pairs:
    """Find every query and base hash that differ in at most `radius` bits.

    Parameters
    ----------
    queries, base : ndarray of uint64, shapes (N,) and (M,)
        Hashes; give distinct ones, for each pair of equal hashes is a pair found.
    radius : int
        Largest Hamming distance.

    Returns
    -------
    Pairs
        Each pair once, in no particular order. Besides the pairs, memory grows with N + M alone.
    """
    search = Search(queries, base, radius)
    return joined([pairs for each in search.passes() for pairs in search.run(each)])


class Search:
    """The passes of one search: together they find each pair once, in any order and anywhere.

    Parameters
    ----------
    queries, base, radius : ndarray of uint64, ndarray of uint64, int
        As of `pairs_within`.
    """

    def __init__(self, queries: Hashes, base: Hashes, radius: int) -> None:
        self._queries, self._base, self._radius = queries, base, radius
        self._chunks = _plan(len(queries), len(base), radius)
        self._table: tuple[int, _Table] | None = None

    def passes(self) -> list[Pass]:
        """Cut the search into passes of about `PASS_COST` each."""
        size = len(self._base), len(self._queries)
        if not all(size):
            return []
        if not self._chunks:
            return [*_slices(SCAN, size[1], SCAN_COST * size[0])]
        found: list[Pass] = []
        for index, chunk in enumerate(self._chunks):
            one_way = _chunk_cost(chunk, size[1], size[0]) / chunk.flip_count
            found += _slices(index, chunk.flip_count, one_way)
        return found

    def run(self, part: Pass) -> Iterator[Pairs]:
        """Yield what a pass finds."""
        if part.chunk == SCAN:
            return _scan(self._queries, self._base, self._radius, part)
        return self._lookup(part)

    def _lookup(self, part: Pass) -> Iterator[Pairs]:
        chunk = self._chunks[part.chunk]
        if self._table is None or self._table[0] != part.chunk:
            self._table = part.chunk, _Table(chunk, self._queries, self._base)
        table = self._table[1]
        for flip in chunk.flips()[part.start : part.stop]:
            for left, right in table.candidates(flip):
                differing = self._queries[left] ^ self._base[right]
                distance = np.bitwise_count(differing)
                near = distance <= self._radius
                for earlier in self._chunks[: part.chunk]:
                    # A pair that an earlier chunk brings up was reported there.
                    near &= np.bitwise_count(earlier.of(differing)) > earlier.radius
                yield Pairs(left[near], right[near], distance[near].astype(np.int64))


def _slices(chunk: int, size: int, cost: float) -> Iterator[Pass]:
    """Cut so many equal parts of a known cost into passes."""
    step = max(1, int(PASS_COST / max(1.0, cost)))
    for start in range(0, size, step):
        yield Pass(chunk, start, min(start + step, size))


def _plan(queries: int, base: int, radius: int) -> list[HashPart]:
    """Choose the chunks that cost least; none if comparing all pairs costs less."""
    best: list[HashPart] = []
    least = SCAN_COST * queries * base
    for count in range(-(-HASH_BITS // WIDEST_CHUNK), HASH_BITS // 4):
        chunks = _cut(count, radius)
        cost = sum(_chunk_cost(chunk, queries, base) for chunk in chunks)
        if cost < least:
            best, least = chunks, cost
    return best


def _cut(count: int, radius: int) -> list[HashPart]:
    """Cut a hash into chunks whose radii no pair within `radius` can exceed in all of them.

    With radius = count * r + a, differences above r in a + 1 chunks and above r - 1 in the others
    would add up to more than the radius.
    """
    each, over = divmod(radius, count)
    edges = [HASH_BITS * index // count for index in range(count + 1)]
    chunks = [
        HashPart(low, high - low, each if index <= over else each - 1)
        for index, (low, high) in enumerate(pairwise(edges))
    ]
    return [chunk for chunk in chunks if chunk.radius >= 0]


def _chunk_cost(chunk: HashPart, queries: int, base: int) -> float:
    bucket = base / 2**chunk.width
    lookups = chunk.flip_count * queries
    return lookups * (LOOKUP_COST + CANDIDATE_COST * bucket) + SLOT_COST * 2**chunk.width


class _Table:
    """Base hashes by the value of one chunk, and queries in an order kind to the cache."""

    def __init__(self, chunk: HashPart, queries: Hashes, base: Hashes) -> None:
        base_keys, query_keys = chunk.of(base), chunk.of(queries)
        counts = np.bincount(base_keys, minlength=2**chunk.width)
        self._ends = np.cumsum(counts).astype(np.int32)
        self._counts = counts.astype(np.int32)
        self._members = np.argsort(base_keys, kind="stable")
        self._queries = np.argsort(query_keys, kind="stable")
        self._keys = query_keys[self._queries]

    def candidates(self, flip: int) -> Iterator[tuple[Indices, Indices]]:
        """Yield queries and base hashes whose chunks differ by `flip`, a block at a time."""
        keys = self._keys ^ flip
        counts = self._counts[keys]
        hits = np.flatnonzero(counts)
        sizes = counts[hits].astype(np.int64)
        starts = self._ends[keys[hits]] - sizes
        for block in _blocks(sizes):
            size = sizes[block]
            within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
            right = self._members[np.repeat(starts[block], size) + within]
            yield np.repeat(self._queries[hits[block]], size), right


def _blocks(sizes: Indices) -> Iterator[slice]:
    """Cut runs of candidates so that a block holds about `BLOCK` of them."""
    ends = np.cumsum(sizes)
    start = 0
    while start < sizes.size:
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + BLOCK, side="right")))
        yield slice(start, stop)
        start = stop


def _scan(queries: Hashes, base: Hashes, radius: int, part: Pass) -> Iterator[Pairs]:
    rows = max(1, BLOCK // base.size)
    for start in range(part.start, part.stop, rows):
        some = queries[start : min(start + rows, part.stop), None]
        distance = np.bitwise_count(some ^ base)
        left, right = np.nonzero(distance <= radius)
        yield Pairs(left + start, right, distance[left, right].astype(np.int64))


def joined(parts: list[Pairs]) -> Pairs:
    """Return the pairs of several parts, or none."""
    if not parts:
        empty = np.empty(0, dtype=np.int64)
        return Pairs(empty, empty, empty)
    return Pairs(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
