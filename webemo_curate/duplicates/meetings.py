"""Meetings of near keypoints, gathered from the blocks of all lists in bounded memory."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from webemo_curate.duplicates.local_words import TABLES
from webemo_curate.duplicates.neighbors import (
    HALF,
    WINDOW,
    Keypoints,
    Meetings,
    Range,
    SortedList,
    begins,
)
from webemo_curate.machine import usable_cores

MEETINGS = 320
"""Most meetings a picture held at a time, on average, 8 bytes each: more different ones (there are
so many where all pictures look alike) are found in several passes, as many later pictures in each
as fit."""

FULL = 0.75
"""Share of them from which, repeated ones left out, there is too little room to go on."""

SLICE = 2**20
"""Meetings handed on at a time."""

Meet = Callable[[Range], Iterable[Meetings]]
"""Gives, block by block, the meetings whose later keypoint's number is in a range [low, high)."""

Meeting = Callable[["Keypoints"], AbstractContextManager[Meet]]
"""Gets ready to meet keypoints, here or elsewhere."""

Given = TypeVar("Given")
Made = TypeVar("Made")


def meetings(keypoints: Keypoints, start: int, meet: Meet) -> Iterator[Meetings]:
    """Find near keypoints of different pictures.

    Parameters
    ----------
    keypoints : Keypoints
        Of all pictures.
    start : int
        First picture whose meetings with earlier ones are sought.
    meet : callable
        Of a `Meeting` of these keypoints.

    Yields
    ------
    ndarray of uint64
        Distinct `later << 32 | earlier`, ascending: keypoints' numbers, the later one's picture
        coming after the other's. Each array holds all meetings of a range of later pictures.
    """
    pictures = int(keypoints.owners[-1]) + 1 if len(keypoints.owners) else 0
    while start < pictures:
        later = keypoints.before(start), len(keypoints.owners)
        found, stop = _gather(meet(later), keypoints, pictures)
        yield from _slices(found, keypoints.owners)
        del found  # before the next pass fills as much memory
        start = stop


@contextmanager
def by_threads(keypoints: Keypoints, threads: int | None = None) -> Iterator[Meet]:
    """Meet block after block in this process: a `Meeting`.

    Parameters
    ----------
    keypoints : Keypoints
        Of all pictures.
    threads : int, optional
        Blocks worked on at once, as numpy lets go of the interpreter's lock; default the cores.
    """
    threads = threads or usable_cores()
    lists = [SortedList(keypoints, table) for table in range(TABLES)]
    blocks = [(each, classes) for each in lists for classes in each.blocks()]

    def meet(later: Range) -> Iterator[Meetings]:
        return few_ahead(pool, lambda block: block[0].meet(block[1], later), blocks, threads)

    with ThreadPoolExecutor(threads) as pool:
        yield meet


def few_ahead(
    pool: ThreadPoolExecutor, work: Callable[[Given], Made], given: Iterable[Given], threads: int
) -> Iterator[Made]:
    """Yield what work makes of each, in order, computing no more than `threads` ahead."""
    waiting = iter(given)
    while some := [*islice(waiting, threads)]:
        yield from pool.map(work, some)


def _gather(parts: Iterable[Meetings], keypoints: Keypoints, pictures: int) -> tuple[Meetings, int]:
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
