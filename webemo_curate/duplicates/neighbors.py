"""Keypoints of different pictures whose signatures are near, found in sorted lists.

A keypoint's words, one after the other, are its signature of 112 bits. There are as many lists as
words; list t holds all keypoints, sorted by the signature turned so that word t comes first.
Keypoints that begin alike stand together, and each meets its next neighbors: where signatures are
dense, those that begin alike for long, where they are sparse, for short. So what is asked for
follows from how many pictures there are and how rare it is what they show, and no number says from
when on a word is too common (Bawa, Condie and Ganesan, "LSH Forest: Self-Tuning Indexes for
Similarity Search", WWW 2005; here a keypoint's neighbors are bounded in number).
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from typing import TypeVar

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

MEETINGS = 320
"""Most meetings a picture held at a time, on average, 8 bytes each: more different ones (there are
so many where all pictures look alike) are found in several passes, as many later pictures in each
as fit."""

FULL = 0.75
"""Share of them from which, repeated ones left out, there is too little room to go on."""

SLICE = 2**20
"""Meetings handed on at a time."""

HALF = np.uint64(32)
LOW = np.uint64(2**32 - 1)

Meetings = npt.NDArray[np.uint64]
Bits = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

Given = TypeVar("Given")
Made = TypeVar("Made")


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


def meetings(keypoints: Keypoints, start: int, threads: int) -> Iterator[Meetings]:
    """Find near keypoints of different pictures.

    Parameters
    ----------
    keypoints : Keypoints
        Of all pictures.
    start : int
        First picture whose meetings with earlier ones are sought.
    threads : int
        Blocks worked on at once: numpy lets go of the interpreter's lock.

    Yields
    ------
    ndarray of uint64
        Distinct `later << 32 | earlier`, ascending: keypoints' numbers, the later one's picture
        coming after the other's. Each array holds all meetings of a range of later pictures.
    """
    if not len(keypoints.owners):
        return
    lists = [_SortedList(keypoints, table) for table in range(TABLES)]
    tasks = [(table, classes) for table in lists for classes in table.blocks()]
    pictures = int(keypoints.owners[-1]) + 1
    with ThreadPoolExecutor(threads) as pool:
        while start < pictures:
            later = keypoints.before(start), len(keypoints.owners)
            meet = partial(_meet, later=later)
            parts = few_ahead(pool, meet, tasks, threads)
            found, stop = _gather(parts, keypoints, pictures)
            yield from _slices(found, keypoints.owners)
            del found  # before the next pass fills as much memory
            start = stop


def few_ahead(
    pool: ThreadPoolExecutor, work: Callable[[Given], Made], given: Iterable[Given], threads: int
) -> Iterator[Made]:
    """Yield what work makes of each, in order, computing no more than `threads` ahead."""
    waiting = iter(given)
    while some := [*islice(waiting, threads)]:
        yield from pool.map(work, some)


def _gather(parts: Iterator[Meetings], keypoints: Keypoints, pictures: int) -> tuple[Meetings, int]:
    """Return different meetings in order, and the picture up to which the later ones are in them.

    Where there are too many, those of the last pictures are given up: another pass finds them.
    """
    most, size, stop = _most(keypoints, pictures), 0, pictures
    held = np.empty(most, np.uint64)  # takes memory as it is filled
    for part in parts:
        kept = part[part < keypoints.beyond(stop)]
        if size + len(kept) > most:
            size = _without_repeats(held[:size])
            while size + len(kept) > most or size > FULL * most:
                fewer = _middle(keypoints.owners, held[:size], np.sort(kept))
                if fewer >= stop:
                    break  # all are one picture's: there is room for these
                stop = fewer
                size = int(np.searchsorted(held[:size], keypoints.beyond(stop)))
                kept = kept[kept < keypoints.beyond(stop)]
        held[size : size + len(kept)] = kept
        size += len(kept)
    return held[: _without_repeats(held[:size])], stop


def _middle(owners: npt.NDArray[np.int32], *found: Meetings) -> int:
    """Return the picture up to which about half of sorted meetings belong, as later ones."""
    places = [(met[0], met[len(met) // 2]) for met in found if len(met)]
    return min(int(max(owners[m >> HALF], owners[f >> HALF] + 1)) for f, m in places)


def _without_repeats(held: Meetings) -> int:
    """Sort meetings in place, move the different ones to the front, and return their number."""
    held.sort()
    size = 0
    for start in range(0, len(held), SLICE):
        part = held[start : start + SLICE]
        first = begins(part)
        first[0] = not size or part[0] != held[size - 1]
        kept = part[first]
        held[size : size + len(kept)] = kept
        size += len(kept)
    return size


def _most(keypoints: Keypoints, pictures: int) -> int:
    """Return how many meetings are held at a time: no fewer than one picture can have."""
    largest = int(np.bincount(keypoints.owners).max())
    return max(MEETINGS * pictures, largest * TABLES * (2 * WINDOW + 1))


def _slices(found: Meetings, owners: npt.NDArray[np.int32]) -> Iterator[Meetings]:
    """Cut sorted meetings between later pictures."""
    start = 0
    while start < len(found):
        last = found[min(start + SLICE, len(found)) - 1] >> HALF
        beyond = np.searchsorted(owners, owners[last], side="right")
        stop = int(np.searchsorted(found, np.uint64(beyond) << HALF))
        yield found[start:stop].copy()  # what uses it must not keep all from being freed
        start = stop


def begins(ordered: Meetings) -> npt.NDArray[np.bool_]:
    """Tell which entries are the first of those that equal them; equal ones stand together."""
    first = np.ones(len(ordered), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return first


def _meet(task: tuple["_SortedList", tuple[int, int]], later: tuple[int, int]) -> Meetings:
    table, classes = task
    return table.meet(classes, later)


class _SortedList:
    """All keypoints, by their signatures turned so that one table's word comes first."""

    def __init__(self, keypoints: Keypoints, table: int) -> None:
        self._keypoints, self._table = keypoints, table
        self._classes = (keypoints.words[:, table] >> (WORD_BITS - CLASS_BITS)).astype(np.uint16)

    def blocks(self) -> list[tuple[int, int]]:
        """Cut the list into ranges [low, high) of classes, of about `BLOCK` keypoints each."""
        ends = np.cumsum(np.bincount(self._classes, minlength=2**CLASS_BITS))
        cuts = np.searchsorted(ends, np.arange(BLOCK, ends[-1], BLOCK)) + 1
        edges = np.unique(np.r_[0, cuts, 2**CLASS_BITS]).tolist()
        return list(pairwise(edges))

    def meet(self, classes: tuple[int, int], later: tuple[int, int]) -> Meetings:
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
        one, two, three, four = (words[:, (self._table + step) % TABLES] for step in range(TABLES))
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


def _within(one: Numbers, other: Numbers, later: tuple[int, int]) -> Meetings:
    """Pack the meetings whose later keypoint is in a range."""
    last = np.maximum(one, other)
    wanted = (last >= later[0]) & (last < later[1])
    first = np.minimum(one, other)[wanted]
    return last[wanted].astype(np.uint64) << HALF | first.astype(np.uint64)
