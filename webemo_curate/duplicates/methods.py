"""The methods that find pairs of pictures, shared by dedup and the leak check.

A hash or shared words only propose a pair. What decides is the pictures: the reduced ones where
those are clear, else the files themselves, one laid on the other.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.candidates import candidate_pairs
from webemo_curate.duplicates.clusters import Within, near_pairs
from webemo_curate.duplicates.cutouts import possible_cuts
from webemo_curate.duplicates.grays import differences, resemblance
from webemo_curate.duplicates.hamming import pairs_of_each
from webemo_curate.duplicates.hash_keys import Indices
from webemo_curate.duplicates.local_words import Words
from webemo_curate.duplicates.looks import PictureLooks
from webemo_curate.duplicates.measured import (
    NO_BITS,
    PLACINGS,
    FoundPairs,
    MeasuredPairs,
    Placing,
    joined,
    judged,
)
from webemo_curate.duplicates.meetings import Meeting, by_threads
from webemo_curate.duplicates.placings import Mask, Placings, Proofs
from webemo_curate.duplicates.plain import faintly_alike, first_alike, leaders, plain_pairs
from webemo_curate.duplicates.relation import RelationLimits

SAME: Final = 0.985
"""Correlation of reduced pictures from which they are the same, if no part of them differs."""

SAME_RESIDUAL: Final = 8.0
"""Gray levels by which a part of two reduced pictures may differ that are clearly the same."""

FLAT_RESIDUAL: Final = 4.0
"""The same for pictures without structure."""

COPY: Final = 0.94
"""Correlation from which whole frames may be laid on one another without keypoints: re-scaled
copies reach it, strangers of one composition seldom do."""

STRANGE: Final = 0.5
"""Correlation of reduced pictures below which they are strangers: half of the pairs of different
photos that a hash proposes."""

FLAT_COLOR: Final = 5.0
"""Levels by which mean colors of pictures without structure may differ: they show nothing else."""

PLAIN_COLOR: Final = 12.0
"""Levels by which mean colors of plain pictures may differ that are the same."""

SIMPLE_COLOR: Final = 24.0
"""Levels by which mean colors of pictures of few shapes may differ on average that are the same: a
sunset's gray values are those of a gray day's."""

NEAR: Final = 10
"""Bits of hashes up to which every pair is measured: two bits on there are ten times as many."""

FAR_CORRELATION: Final = 0.8
"""Correlation of reduced pictures from which pairs of farther hashes are looked at closer ..."""

FAR_LOOKS: Final = 4
"""... and the most of them for a picture, those that correlate most: a bound at any number."""

KEPT_CORRELATION: Final = 0.6
"""Correlation of reduced pictures below which a pair that was not looked at closer is not kept."""

Prove = Callable[[npt.NDArray[np.object_], tuple[Indices, Indices], bool, Mask], Proofs]


def by_hash(
    looks: PictureLooks, config: DedupConfig, prove: Prove, outer: Mask | None = None
) -> FoundPairs:
    """Find pictures that are the same frame, upright or mirrored.

    Parameters
    ----------
    looks : PictureLooks
        Of the pictures.
    config : DedupConfig
        Says how near hashes are that propose a pair, and how well pictures must agree.
    prove : callable
        `compare.Prover.prove`.
    outer : ndarray of bool, optional
        Pictures of another set: only pairs of one of them and one of the others are sought.

    Returns
    -------
    FoundPairs
        Each pair once.
    """
    measured = measured_by_hash(looks, config.distance, prove, outer)
    return judged(measured, RelationLimits.of(config))


def by_grays(
    looks: PictureLooks, config: DedupConfig, prove: Prove, outer: Mask | None = None
) -> FoundPairs:
    """Find pictures that are the same among those of which a hash says little; see `by_hash`."""
    return judged(measured_by_grays(looks, prove, outer), RelationLimits.of(config))


def by_features(
    looks: PictureLooks,
    words: Sequence[Words],
    config: DedupConfig,
    prove: Prove,
    outer: Mask | None = None,
) -> FoundPairs:
    """Find pictures of which one lies on the other: crops, captions, borders; see `by_hash`."""
    return judged(measured_by_features(looks, words, prove, outer), RelationLimits.of(config))


def measured_by_hash(
    looks: PictureLooks,
    reach: int,
    prove: Prove,
    outer: Mask | None = None,
    within: Within = pairs_of_each,
) -> MeasuredPairs:
    """Measure the pairs that hashes propose.

    Parameters
    ----------
    looks : PictureLooks
        Of the pictures.
    reach : int
        Bits by which hashes differ at most. Beyond `NEAR` bits few pairs are looked at closer.
    prove : callable
        `compare.Prover.prove`.
    outer : ndarray of bool, optional
        As in `by_hash`.
    within : callable, optional
        Searches as `hamming.pairs_of_each` does.

    Returns
    -------
    MeasuredPairs
        A row for each pair and placing.
    """
    rows = np.flatnonzero(~looks.flat)
    told_by_color = (looks.plain | looks.simple)[rows]
    hashes, mirrored = looks.phash[rows], looks.mirrored[rows]
    lead = leaders(hashes, looks.grays[rows], told_by_color, SAME, SAME_RESIDUAL)
    lead = _standing(lead, None if outer is None else outer[rows])
    own = lead == np.arange(len(rows))
    pairs = near_pairs(hashes[own], mirrored[own], reach, within)
    chosen, led = rows[own], rows[~own]
    first = np.concatenate([chosen[pairs.left], led])
    second = np.concatenate([chosen[pairs.right], rows[lead[~own]]])
    first, second = _each_once(first, second, outer)
    upright = np.bitwise_count(looks.phash[first] ^ looks.phash[second])
    turned = np.bitwise_count(looks.phash[first] ^ looks.mirrored[second])
    bits = np.minimum(upright, turned).astype(np.int16)
    return _measured(looks, (first, second), turned < upright, bits, prove)


def measured_by_grays(
    looks: PictureLooks, prove: Prove, outer: Mask | None = None
) -> MeasuredPairs:
    """Measure pairs of pictures of which a hash says little; see `measured_by_hash`."""
    rows = np.flatnonzero(looks.plain)
    lead = first_alike(looks.grays[rows], looks.colors[rows])
    lead = _standing(lead, None if outer is None else outer[rows])
    own = lead == np.arange(len(rows))
    first, second = plain_pairs(looks.grays, rows[own])
    first, second = np.r_[first, rows[~own]], np.r_[second, rows[lead[~own]]]
    first, second = _each_once(first, second, outer)
    bits = np.full(len(first), NO_BITS, np.int16)
    return _measured(looks, (first, second), np.zeros(len(first), bool), bits, prove)


def measured_by_features(
    looks: PictureLooks,
    words: Sequence[Words],
    prove: Prove,
    outer: Mask | None = None,
    meeting: Meeting = by_threads,
) -> MeasuredPairs:
    """Measure the pairs that share local words; see `measured_by_hash`.

    Parameters
    ----------
    looks : PictureLooks
        Of the pictures.
    words : sequence of ndarray of uint32
        Their local words.
    prove : callable
        `compare.Prover.prove`.
    outer : ndarray of bool, optional
        As in `by_hash`; those pictures come last.
    meeting : callable, optional
        Meets keypoints as `meetings.by_threads` does.
    """
    known = 0 if outer is None else int((~outer).sum())
    sides = zip(candidate_pairs(words, known, meeting), possible_cuts(looks, known), strict=True)
    first, second = (np.concatenate(side) for side in sides)
    pairs = _each_once(first, second, outer)
    upright = np.zeros(len(pairs[0]), bool)
    proofs = prove(looks.paths, pairs, False, upright)
    bits = np.full(len(upright), NO_BITS, np.int16)
    return _placed(pairs, upright, bits, Placing.KEYPOINTS, proofs.keypoints)


def _standing(lead: Indices, outer: Mask | None) -> Indices:
    """Let the pictures of another set stand for themselves: each is compared with the others."""
    if outer is None:
        return lead
    return np.where(outer | outer[lead], np.arange(len(lead)), lead)


def _measured(
    looks: PictureLooks,
    pairs: tuple[Indices, Indices],
    turned: Mask,
    bits: npt.NDArray[np.int16],
    prove: Prove,
) -> MeasuredPairs:
    """Measure by the reduced pictures, and look closer where those are not clear."""
    first, second = pairs
    seen = resemblance(looks.grays, first, second, turned)
    plain, flat = looks.plain, looks.flat
    fits = _colors_fit(looks, pairs, turned)
    clear = (seen.residual <= SAME_RESIDUAL) & (seen.correlation >= SAME) & ~plain[first]
    both_flat = flat[first] & flat[second]
    blank = seen.residual <= FLAT_RESIDUAL
    blank[both_flat] &= faintly_alike(looks.grays, first[both_flat], second[both_flat])
    clear = np.where(both_flat, blank, clear) & fits
    # Flat pictures have no correlation to speak of: that they agree is what was found.
    correlation = np.where(both_flat & clear, np.float32(1), seen.correlation)
    # Laid on one another, pictures of few shapes agree in all but a small figure.
    simple = looks.simple & ~plain
    closer = fits & ~clear & ~(both_flat | simple[first] | simple[second])
    closer &= correlation >= STRANGE
    far = bits > NEAR
    closer &= ~far | _foremost(second, correlation, closer & far)
    kept = closer | clear | (correlation >= KEPT_CORRELATION)
    reduced = Placings.none(int(kept.sum()))
    reduced.correlation[:] = correlation[kept]
    alone = _placed((first[kept], second[kept]), turned[kept], bits[kept], Placing.REDUCED, reduced)
    parts = [alone._replace(clear=clear[kept])]
    # Whole frames prove a copy alone; what is less alike must be placed by keypoints.
    copies = correlation >= COPY
    for part, whole in ((closer & copies, True), (closer & ~copies, False)):
        some = first[part], second[part]
        proofs = prove(looks.paths, some, whole, turned[part])
        for placing, showed in zip((Placing.WHOLE, Placing.KEYPOINTS), proofs, strict=True):
            parts.append(_placed(some, turned[part], bits[part], placing, showed))
    return joined(parts)


def _placed(
    pairs: tuple[Indices, Indices],
    mirrored: Mask,
    bits: npt.NDArray[np.int16],
    placing: Placing,
    showed: Placings,
) -> MeasuredPairs:
    """Return a row for each pair that a placing was tried on; of reduced pictures all were."""
    size = len(mirrored)
    kind = np.full(size, PLACINGS.index(placing), np.int8)
    rows = MeasuredPairs(*pairs, mirrored, bits, kind, np.zeros(size, bool), showed)
    return rows if placing == Placing.REDUCED else rows.where(showed.measured)


def _foremost(later: Indices, correlation: npt.NDArray[np.float32], some: Mask) -> Mask:
    """Tell which pairs are among the few of a picture that correlate most, and do so enough."""
    rows = np.flatnonzero(some & (correlation >= FAR_CORRELATION))
    order = rows[np.lexsort((-correlation[rows], later[rows]))]
    _, begins, counts = np.unique(later[order], return_index=True, return_counts=True)
    place = np.arange(len(order)) - np.repeat(begins, counts)
    chosen = np.zeros(len(later), bool)
    chosen[order[place < FAR_LOOKS]] = True
    return chosen


def _colors_fit(looks: PictureLooks, pairs: tuple[Indices, Indices], turned: Mask) -> Mask:
    """Tell whose colors agree, or whose gray values show enough without."""
    first, second = pairs
    simple, plain, flat = looks.simple, looks.plain, looks.flat
    largest, mean = differences(looks.colors, first, second, turned)
    limit = np.where(flat[first] & flat[second], FLAT_COLOR, PLAIN_COLOR)
    told = (largest <= limit) | ~(plain[first] | plain[second])
    return told & ((mean <= SIMPLE_COLOR) | ~(simple[first] | simple[second]))


def _each_once(first: Indices, second: Indices, outer: Mask | None) -> tuple[Indices, Indices]:
    """Return pairs in order and once, those across two sets alone if there are two."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    kept = low != high if outer is None else (low != high) & (outer[low] != outer[high])
    pairs = np.unique(np.stack([low[kept], high[kept]], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]
