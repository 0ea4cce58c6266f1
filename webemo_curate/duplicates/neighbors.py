"""Keypoints of different pictures whose signatures are near, found in sorted lists.

A keypoint's words, one after the other, are its signature of 112 bits. There are as many lists as
words; list t holds all keypoints, sorted by the signature turned so that word t comes first.
Keypoints that begin alike stand together, and each meets its next neighbors: where signatures are
dense, those that begin alike for long, where they are sparse, for short. So what is asked for
follows from how many pictures there are and how rare it is what they show, and no number says from
when on a word is too common (Bawa, Condie and Ganesan, "LSH Forest: Self-Tuning Indexes for
Similarity Search", WWW 2005; here a keypoint's neighbors are bounded in number).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from webemo_curate.duplicates.local_words import TABLES, WORD_BITS, Words

WINDOW = 12
"""Neighbors on each side, in each list, that a keypoint meets: they bound time and memory."""

NEAR_BITS = 14
"""Bits, of 112, in which the signatures of a place seen twice may differ. One in 12,000 pairs of
strangers' keypoints is as near; half of all crops have 32 keypoints or more that are."""

CLASS_BITS = 16
"""First bits that neighbors share. Lists are cut where these change, so that no cut parts any."""

BLOCK = 2**20
"""Keypoints sorted at a time: about 100 MB a thread."""

HALF = np.uint64(32)
LOW = np.uint64(2**32 - 1)

Meetings = npt.NDArray[np.uint64]
Bits = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

Range = tuple[int, int]


@dataclass(frozen=True)
class Keypoints:
    """The keypoints of all pictures, numbered picture by picture; fewer than 2**32.

    Attributes
    ----------
    words
        uint32, shape (keypoints, TABLES).
    owners
        int32, the picture of each, ascending.
    """

    words: Words
    owners: npt.NDArray[np.int32]

    def before(self, picture: int) -> int:
        """Return how many keypoints belong to earlier pictures."""
        return int(np.searchsorted(self.owners, picture))

    def beyond(self, picture: int) -> np.uint64:
        """Return what meetings of earlier pictures are below: see `meetings`."""
        return np.uint64(self.before(picture)) << HALF


def begins(ordered: Meetings) -> npt.NDArray[np.bool_]:
    """Tell which entries are the first of those that equal them; equal ones stand together."""
    first = np.ones(len(ordered), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return first


class SortedList:
    """All keypoints, by their signatures turned so that one table's word comes first.

    Parameters
    ----------
    keypoints : Keypoints
        Of all pictures.
    table : int
        Which word, from 0.
    """

    def __init__(self, keypoints: Keypoints, table: int) -> None:
        self._keypoints, self.table = keypoints, table
        self._classes = (keypoints.words[:, table] >> (WORD_BITS - CLASS_BITS)).astype(np.uint16)

    def blocks(self) -> list[Range]:
        """Cut the list into ranges [low, high) of classes, of about `BLOCK` keypoints each."""
        ends = np.cumsum(np.bincount(self._classes, minlength=2**CLASS_BITS))
        cuts = np.searchsorted(ends, np.arange(BLOCK, ends[-1], BLOCK)) + 1
        edges = np.unique(np.r_[0, cuts, 2**CLASS_BITS]).tolist()
        return list(pairwise(edges))

    def meet(self, classes: Range, later: Range) -> Meetings:
        """Return the meetings within a block whose later keypoint is in the range `later`."""
        low, high = classes
        members = np.flatnonzero((self._classes >= low) & (self._classes < high))
        first, rest = self._signatures(members)
        order = _ordered(first)  # equal ones by number: by picture
        first, rest, members = first[order], rest[order], members[order]
        owners = self._keypoints.owners[members]
        found = [_near(first, rest, owners, *pair) for pair in _neighbors(first)]
        one, other = (members[np.concatenate(side)] for side in zip(*found, strict=True))
        return _within(one, other, later)

    def _signatures(self, members: Numbers) -> tuple[Bits, Bits]:
        """Return the first 64 bits of turned signatures, and the other 48."""
        words = self._keypoints.words[members].astype(np.uint64)
        one, two, three, four = (words[:, (self.table + step) % TABLES] for step in range(TABLES))
        over = 3 * WORD_BITS - 64  # bits of the third word that the first 64 do not hold
        first = one << np.uint64(64 - WORD_BITS) | two << np.uint64(64 - 2 * WORD_BITS)
        rest = (three & np.uint64(2**over - 1)) << np.uint64(WORD_BITS) | four
        return first | three >> np.uint64(over), rest


def _ordered(signatures: Bits) -> Numbers:
    """Return the stable order: numpy sorts by vector instructions where it need not be stable."""
    order = np.argsort(signatures)
    first = signatures[order]
    equal = first[1:] == first[:-1]
    tied = np.flatnonzero(np.r_[equal, False] | np.r_[False, equal])
    order[tied] = order[tied][np.lexsort((order[tied], first[tied]))]
    return order


def _neighbors(ordered: Bits) -> Iterator[tuple[slice | Numbers, slice | Numbers]]:
    """Yield who meets whom: each its next `WINDOW`, and the first of those that equal it.

    Of many equal ones, each so meets the one of the first picture, however far it stands.
    """
    size = len(ordered)
    for step in range(1, min(WINDOW, size - 1) + 1):
        yield slice(0, size - step), slice(step, size)
    places = np.arange(size)
    heads = np.maximum.accumulate(np.where(begins(ordered), places, 0))
    far = np.flatnonzero(places - heads > WINDOW)
    yield heads[far], far


def _near(
    first: Bits,
    rest: Bits,
    owners: npt.NDArray[np.int32],
    left: slice | Numbers,
    right: slice | Numbers,
) -> tuple[Numbers, Numbers]:
    """Return those that meet and are of one class, of two pictures, and near."""
    differing = first[left] ^ first[right]
    # The first bits alone tell nearly all apart.
    few = np.flatnonzero(np.bitwise_count(differing) <= NEAR_BITS)
    differing, one, other = differing[few], _places(left, few), _places(right, few)
    distance = np.bitwise_count(differing) + np.bitwise_count(rest[one] ^ rest[other])
    alike = (distance <= NEAR_BITS) & (differing < np.uint64(2 ** (64 - CLASS_BITS)))
    alike &= owners[one] != owners[other]
    return one[alike], other[alike]


def _places(chosen: slice | Numbers, few: Numbers) -> Numbers:
    """Return the places of some of those chosen."""
    return few + chosen.start if isinstance(chosen, slice) else chosen[few]


def _within(one: Numbers, other: Numbers, later: Range) -> Meetings:
    """Pack the meetings whose later keypoint is in a range."""
    last = np.maximum(one, other)
    wanted = (last >= later[0]) & (last < later[1])
    first = np.minimum(one, other)[wanted]
    return last[wanted].astype(np.uint64) << HALF | first.astype(np.uint64)
