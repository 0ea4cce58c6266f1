"""Candidate pairs: pictures that share enough local features to be worth a closer look."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import numpy.typing as npt

from webemo_curate.duplicates.local_words import TABLES, Words
from webemo_curate.duplicates.meetings import Meeting, by_threads, few_ahead, meetings
from webemo_curate.duplicates.neighbors import HALF, LOW, Keypoints, Meetings, begins
from webemo_curate.machine import usable_cores

MIN_SHARED = 2
"""Near keypoints that a candidate pair shares, distinct in both pictures."""

BEST = 3
"""Earlier pictures, those it shares most with, that a picture is compared with at most ..."""

TELLING = 8
"""... but for those it shares so much with that it is hardly chance: of these it is compared with
more, the first ones (the best keepers), so that each of many copies meets the one they all join."""

MOST = 16
"""The telling ones it is compared with at most."""

Indices = npt.NDArray[np.int64]


def candidate_pairs(
    pictures: Sequence[Words], known: int = 0, meeting: Meeting = by_threads
) -> tuple[Indices, Indices]:
    """Find pairs of pictures that share local features.

    A picture is compared with at most `BEST` earlier ones, and `MOST` that share much with it,
    whatever the pictures show and however many there are. Equal pictures in equal order give equal
    pairs, whoever meets their keypoints and whatever the sizes of blocks; a picture without
    keypoints changes nothing. Where pictures tie, the earlier one goes first.

    Parameters
    ----------
    pictures : sequence of ndarray of uint32, shape (keypoints, TABLES)
        From `features.local_words`; best keepers first.
    known : int
        If given, the first so many are compared with the others alone, and those not with one
        another.
    meeting : callable
        Where keypoints meet; by default on all cores of this process.

    Returns
    -------
    first, second : ndarray of int64
        Positions, first < second, sorted.
    """
    counts = [len(words) for words in pictures]
    owners = np.repeat(np.arange(len(pictures), dtype=np.int32), counts)
    keypoints = Keypoints(np.concatenate([np.empty((0, TABLES), np.uint32), *pictures]), owners)
    cores = usable_cores()
    with meeting(keypoints) as meet, ThreadPoolExecutor(cores) as pool:
        choose = partial(_chosen, owners=owners, known=known)
        pairs = [*few_ahead(pool, choose, meetings(keypoints, known, meet), cores)]
    chosen = np.concatenate([np.empty(0, np.uint64), *pairs])
    first, second = chosen & LOW, chosen >> HALF
    order = np.lexsort((second, first))
    return first[order].astype(np.int64), second[order].astype(np.int64)


def _chosen(found: Meetings, owners: npt.NDArray[np.int32], known: int) -> Meetings:
    """Return pairs `later << 32 | earlier` of pictures that are worth a look, in order."""
    if known:
        found = found[owners[found & LOW] < known]
    pairs, shared = _shared(found, owners)
    pairs, shared = pairs[shared >= MIN_SHARED], shared[shared >= MIN_SHARED]
    later = pairs >> HALF
    by_shared = np.lexsort((pairs, -shared, later))
    best = by_shared[_places(later[by_shared]) < BEST]
    telling = np.flatnonzero(shared >= TELLING)
    first = telling[_places(later[telling]) < MOST]
    return pairs[np.union1d(best, first)]


def _shared(found: Meetings, owners: npt.NDArray[np.int32]) -> tuple[Meetings, Indices]:
    """Return each pair of pictures once, in order, and in how many places both have near keypoints.

    A place counts once however often it is met, so the fewer of the two sides count.
    """
    keypoint, other = found >> HALF, found & LOW
    later = owners[keypoint].astype(np.uint64) << HALF
    pair = later | owners[other].astype(np.uint64)
    # What one later keypoint meets in one picture stands together.
    once = begins(pair) | begins(keypoint)
    pairs, of_later = _counted(np.sort(pair[once]))
    places = np.sort(later | other)
    places = places[begins(places)]
    _, of_earlier = _counted(places & ~LOW | owners[places & LOW].astype(np.uint64))
    return pairs, np.minimum(of_later, of_earlier)


def _counted(ordered: Meetings) -> tuple[Meetings, Indices]:
    """Return each entry once, and how often it stands there; equal ones stand together."""
    starts = np.flatnonzero(begins(ordered))
    return ordered[starts], np.diff(starts, append=len(ordered))


def _places(groups: Meetings) -> Indices:
    """Return each entry's place within its group, from 0; groups stand together."""
    places = np.arange(len(groups))
    return places - np.maximum.accumulate(np.where(begins(groups), places, 0))
