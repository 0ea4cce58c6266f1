"""Which pictures share enough local words to be worth a closer look."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from webemo_curate.duplicates.features import Words

MIN_SHARED = 4
"""Words, over all tables, that a candidate pair shares: 99 % of real crops do."""

COMMON = 30
"""A word of more pictures than this tells nothing: grids, stripes, lettering."""

BLOCK = 2**22
"""Postings looked up at a time: about 200 MB of temporaries."""

Indices = npt.NDArray[np.int64]


def candidate_pairs(pictures: Sequence[Words]) -> tuple[Indices, Indices]:
    """Find pairs of pictures that share at least `MIN_SHARED` words.

    Parameters
    ----------
    pictures : sequence of ndarray of uint32, shape (keypoints, TABLES)
        From `features.local_words`.

    Returns
    -------
    first, second : ndarray of int64
        Positions, first < second, sorted; memory is bounded by blocks of postings.
    """
    owners = np.repeat(np.arange(len(pictures)), [len(words) for words in pictures])
    if not len(owners):
        none = np.empty(0, np.int64)
        return none, none
    words = np.concatenate(pictures)
    lists = [_Postings(words[:, table], owners, len(pictures)) for table in range(words.shape[1])]
    found = [_shared(lists, start, stop) for start, stop in _blocks(lists, len(pictures))]
    first, second = (np.concatenate(part) for part in zip(*found, strict=True))
    return first, second


class _Postings:
    """One table's words, each with the pictures that bear it."""

    def __init__(self, words: npt.NDArray[np.uint32], owners: Indices, pictures: int) -> None:
        pairs = np.unique(np.stack([words.astype(np.int64), owners], axis=1), axis=0)
        starts = np.flatnonzero(np.r_[True, np.diff(pairs[:, 0]) > 0])
        sizes = np.diff(np.r_[starts, len(pairs)])
        telling = np.repeat((sizes > 1) & (sizes <= COMMON), sizes)
        self._owners = pairs[:, 1]
        word = np.repeat(np.arange(len(starts)), sizes)
        # Telling entries, by picture: where their word's list begins and how long it is.
        entries = np.flatnonzero(telling)
        order = entries[np.argsort(self._owners[entries], kind="stable")]
        self._by = self._owners[order]
        self._starts, self._sizes = starts[word[order]], sizes[word[order]]
        self.load = np.bincount(self._by, self._sizes, minlength=pictures)

    def meetings(self, start: int, stop: int) -> tuple[Indices, Indices]:
        """Return pictures in [start, stop) and those they share a word with, once a word."""
        low, high = np.searchsorted(self._by, (start, stop))
        sizes = self._sizes[low:high]
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        others = self._owners[np.repeat(self._starts[low:high], sizes) + within]
        return np.repeat(self._by[low:high], sizes), others


def _blocks(lists: Sequence[_Postings], pictures: int) -> Iterator[tuple[int, int]]:
    load = np.cumsum(np.sum([table.load for table in lists], axis=0))
    edges = np.searchsorted(load, np.arange(BLOCK, load[-1] + BLOCK, BLOCK), side="right")
    bounds = np.unique(np.r_[0, np.minimum(edges + 1, pictures), pictures])
    return zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)


def _shared(lists: Sequence[_Postings], start: int, stop: int) -> tuple[Indices, Indices]:
    meetings = [table.meetings(start, stop) for table in lists]
    first, second = (np.concatenate(part) for part in zip(*meetings, strict=True))
    proper = first < second
    pairs, counts = np.unique(
        np.stack([first[proper], second[proper]], axis=1), axis=0, return_counts=True
    )
    enough = pairs[counts >= MIN_SHARED]
    return enough[:, 0], enough[:, 1]
