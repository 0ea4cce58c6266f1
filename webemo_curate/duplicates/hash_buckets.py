"""Pairs of hashes that stand in one bucket, compared in rectangles of bounded size."""

from collections.abc import Iterator
from math import prod
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from webemo_curate.duplicates.hash_keys import Chunks, Hashes, Indices, Key, order_of
from webemo_curate.duplicates.numbering import numbered

SIDE: Final = 256
"""Hashes on a side of a rectangle at most."""

CELLS: Final = 2**16
"""Pairs compared at a time: 600 KB of temporaries, which stay in a core's cache."""

RECTANGLES: Final = 2**18
"""Rectangles listed at a time, but for those of one row: some 20 MB."""

Mask = npt.NDArray[np.bool_]
Distances = npt.NDArray[np.uint8]
Places = tuple[Indices, Indices]
"""Where the hashes of pairs are, among the sorted ones of either set."""


class Rectangles(NamedTuple):
    """Parts of a bucket of the one set, each against a part of the same bucket of the other.

    Attributes
    ----------
    left, left_size, right, right_size
        int64: where each part begins among the sorted hashes, and how many it has, up to `SIDE`.
    """

    left: Indices
    left_size: Indices
    right: Indices
    right_size: Indices

    def take(self, some: Indices | Mask | slice) -> "Rectangles":
        """Return some of them."""
        return Rectangles(*(column[some] for column in self))

    def alike(self, cells: int) -> Iterator[tuple["Rectangles", int, int]]:
        """Yield some of about the same sides at a time, and the largest of these sides."""
        ordered = self.take(np.lexsort((self.left_size, self.right_size)))
        _, left, _, right = ordered
        start = 0
        while start < len(left):
            most = slice(start, start + max(1, cells // int(left[start] * right[start])))
            tall, wide = int(left[most].max()), int(right[most][-1])
            stop = min(start + max(1, cells // (tall * wide)), most.stop)
            yield ordered.take(slice(start, stop)), tall, wide
            start = stop


class SortedSide:
    """One set of hashes, sorted by a key.

    Parameters
    ----------
    hashes : ndarray of uint64
        All of the set.
    chunks, key : Chunks, Key
        What they are sorted by.

    Attributes
    ----------
    hashes
        In that order; after the last it is repeated, so that a window may reach over the end.
    order
        The place that each had.
    starts, counts
        Where the hashes of each value of the key begin, and how many there are.
    """

    def __init__(self, hashes: Hashes, chunks: Chunks, key: Key) -> None:
        values, largest = chunks.values(hashes, key)
        order = order_of(values, largest)
        self.counts: Indices = np.bincount(values, minlength=largest)
        self.starts: Indices = np.cumsum(self.counts) - self.counts
        self.order = order.astype(np.uint32)
        self.hashes: Hashes = np.empty(len(hashes) + SIDE, np.uint64)
        np.take(hashes, order, out=self.hashes[: len(hashes)])
        self.hashes[len(hashes) :] = self.hashes[len(hashes) - 1]

    def windows(self, starts: Indices, size: int) -> Hashes:
        """Return so many hashes from each start, `SIDE` at most; uint64, shape (starts, size)."""
        return self.hashes.take(starts[:, None] + np.arange(size))


class Buckets:
    """The hashes of two sets, or of one, by the value of a key.

    Parameters
    ----------
    queries : ndarray of uint64
        One set, not empty.
    base : ndarray of uint64, or None
        The other, not empty; None if the pairs among the queries are sought.
    chunks, key : Chunks, Key
        Which hashes stand together.
    radius : int
        Bits by which those that are sought differ at most.
    """

    def __init__(
        self, queries: Hashes, base: Hashes | None, chunks: Chunks, key: Key, radius: int
    ) -> None:
        self._one_set = base is None
        self._chunks, self._key = chunks, key
        self._differences = Differences(radius)
        self._left = SortedSide(queries, chunks, key)
        self._right = self._left if base is None else SortedSide(base, chunks, key)

    def near(self, share: int, shares: int) -> Iterator[tuple[Indices, Indices, Distances]]:
        """Yield the pairs within the radius that no earlier key brings together.

        Parameters
        ----------
        share, shares : int
            The share of the rows of rectangles that is compared, and into how many they are cut.

        Yields
        ------
        left, right : ndarray of int64
            Positions in queries and base.
        distance : ndarray of uint8
            Bits in which they differ.
        """
        for some in self._rectangles(share, shares):
            square = (some.left == some.right) if self._one_set else np.zeros(len(some.left), bool)
            parts = [
                *(self._within(*part) for part in some.take(square).alike(2 * CELLS)),
                *(self._across(*part) for part in some.take(~square).alike(CELLS)),
            ]
            if found := [part for part in parts if part is not None]:
                yield self._new(*map(np.concatenate, zip(*found, strict=True)))

    def _rectangles(self, share: int, shares: int) -> Iterator[Rectangles]:
        """Cut buckets that both sets have into rectangles, a bounded number of them at a time."""
        left, right = self._left.counts, self._right.counts
        filled = np.flatnonzero((left > 1) if self._one_set else (left > 0) & (right > 0))
        tall, wide = -(-left[filled] // SIDE), -(-right[filled] // SIDE)
        rows = int(tall.sum())
        first, last = rows * share // shares, rows * (share + 1) // shares
        bucket, row = numbered(tall)
        bucket, row = bucket[first:last], row[first:last]
        ends = np.cumsum(wide[bucket])
        while len(bucket):
            count = max(1, int(np.searchsorted(ends, RECTANGLES, side="right")))
            yield self._rows_cut(filled[bucket[:count]], row[:count], wide[bucket[:count]])
            bucket, row, ends = bucket[count:], row[count:], ends[count:] - ends[count - 1]

    def _rows_cut(self, bucket: Indices, row: Indices, wide: Indices) -> Rectangles:
        of_row, column = numbered(wide)
        bucket, row = bucket[of_row], row[of_row]
        left, right = row * SIDE, column * SIDE
        found = Rectangles(
            self._left.starts[bucket] + left,
            np.minimum(self._left.counts[bucket] - left, SIDE),
            self._right.starts[bucket] + right,
            np.minimum(self._right.counts[bucket] - right, SIDE),
        )
        return found.take(column >= row) if self._one_set else found

    def _across(self, some: Rectangles, tall: int, wide: int) -> Places | None:
        """Compare each left hash with each right one."""
        left = self._left.windows(some.left, tall)
        right = self._right.windows(some.right, wide)
        found = self._differences.close(left[:, :, None], right[:, None, :])
        if found is None:
            return None
        each, row, column = found
        real = (row < some.left_size[each]) & (column < some.right_size[each])
        return (some.left[each] + row)[real], (some.right[each] + column)[real]

    def _within(self, some: Rectangles, side: int, _: int) -> Places | None:
        """Compare the hashes of each part with one another, each with the half that follow it.

        After the last comes the first again.
        """
        part = self._left.windows(some.left, side)
        half = side // 2
        ring = np.concatenate([part, part[:, :half]], axis=1)
        step = ring.itemsize
        following: Hashes = np.ndarray(
            (len(ring), half, side), ring.dtype, ring, step, (ring.strides[0], step, step)
        )
        found = self._differences.close(part[:, None, :], following)
        if found is None:
            return None
        each, after, row = found
        other = (row + after + 1) % side
        real = np.maximum(row, other) < some.left_size[each]
        # Halfway round, each pair is met from both sides.
        real &= (after + 1 < side - half) | (row < other)
        first, second = np.minimum(row, other)[real], np.maximum(row, other)[real]
        start = some.left[each[real]]
        return start + first, start + second

    def _new(self, first: Indices, second: Indices) -> tuple[Indices, Indices, Distances]:
        """Return the pairs that no earlier key brings together, by their positions."""
        differing = self._left.hashes[first] ^ self._right.hashes[second]
        new = self._chunks.found_first(differing, self._key)
        left, right = self._left.order[first[new]], self._right.order[second[new]]
        if self._one_set:
            left, right = np.minimum(left, right), np.maximum(left, right)
        return left.astype(np.int64), right.astype(np.int64), np.bitwise_count(differing[new])


class Differences:
    """Compares blocks of hashes in memory that is used again and again.

    Parameters
    ----------
    radius : int
        Bits by which those that are sought differ at most.
    """

    def __init__(self, radius: int) -> None:
        self._radius = radius
        self._bits = np.empty(CELLS, np.uint64)
        self._distances = np.empty(CELLS, np.uint8)
        self._near = np.empty(CELLS, np.bool_)

    def close(self, left: Hashes, right: Hashes) -> tuple[Indices, Indices, Indices] | None:
        """Return where, in three axes, hashes are near; None where none are, as in most blocks.

        Parameters
        ----------
        left, right : ndarray of uint64
            Of three axes, broadcast against each other to at most `CELLS` pairs.
        """
        shape = np.broadcast_shapes(left.shape, right.shape)
        size = prod(shape)
        bits, distances, near = self._bits[:size], self._distances[:size], self._near[:size]
        np.bitwise_xor(left, right, out=bits.reshape(shape))
        np.bitwise_count(bits, out=distances)
        place = np.flatnonzero(np.less_equal(distances, self._radius, out=near))
        if not len(place):
            return None
        first, second, third = np.unravel_index(place, shape)
        return first, second, third
