"""The methods that find pairs of pictures, shared by dedup and the leak check.

A hash or shared words only propose a pair. What decides is the pictures: the reduced ones where
those are clear, else the files themselves, one laid on the other.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.candidates import candidate_pairs
from webemo_curate.duplicates.clusters import near_pairs
from webemo_curate.duplicates.compare import Proofs
from webemo_curate.duplicates.grays import differences, resemblance
from webemo_curate.duplicates.hamming import Indices
from webemo_curate.duplicates.local_words import Words
from webemo_curate.duplicates.looks import PictureLooks
from webemo_curate.duplicates.plain import first_alike, leaders, plain_pairs
from webemo_curate.duplicates.relation import Relation

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

Mask = npt.NDArray[np.bool_]
Prove = Callable[[npt.NDArray[np.object_], tuple[Indices, Indices], bool, Mask], Proofs]


class Method(StrEnum):
    """How a pair was found; the earlier, the surer."""

    PIXELS = "pixels"
    PHASH = "phash"
    GRAYS = "grays"
    FEATURES = "features"


class FoundPairs(NamedTuple):
    """Pairs that are the same picture or siblings; arrays of one length.

    Attributes
    ----------
    first, second
        int64 positions; the second may be the earlier one.
    distance
        float32 bits between the hashes; NaN where no hash proposed the pair.
    correlation
        float32, of the gray values.
    changed
        float32, share of the largest changed part; 0 where reduced pictures decided.
    same
        bool; siblings otherwise.
    """

    first: Indices
    second: Indices
    distance: npt.NDArray[np.float32]
    correlation: npt.NDArray[np.float32]
    changed: npt.NDArray[np.float32]
    same: Mask

    def where(self, kept: npt.NDArray[np.bool_]) -> "FoundPairs":
        """Return some of the pairs."""
        return FoundPairs(
            self.first[kept],
            self.second[kept],
            self.distance[kept],
            self.correlation[kept],
            self.changed[kept],
            self.same[kept],
        )


def by_hash(
    looks: PictureLooks, config: DedupConfig, prove: Prove, outer: Mask | None = None
) -> FoundPairs:
    """Find pictures that are the same frame, upright or mirrored.

    Parameters
    ----------
    looks : PictureLooks
        Of the pictures.
    config : DedupConfig
        Says how near hashes are that propose a pair.
    prove : callable
        `compare.Prover.prove`.
    outer : ndarray of bool, optional
        Pictures of another set: only pairs of one of them and one of the others are sought.

    Returns
    -------
    FoundPairs
        Each pair once.
    """
    rows = np.flatnonzero(~looks.flat)
    told_by_color = (looks.plain | looks.simple)[rows]
    hashes, mirrored = looks.phash[rows], looks.mirrored[rows]
    lead = leaders(hashes, looks.grays[rows], told_by_color, SAME, SAME_RESIDUAL)
    lead = _standing(lead, None if outer is None else outer[rows])
    own = lead == np.arange(len(rows))
    pairs = near_pairs(hashes[own], mirrored[own], config.distance)
    chosen, led = rows[own], rows[~own]
    first = np.concatenate([chosen[pairs.left], led])
    second = np.concatenate([chosen[pairs.right], rows[lead[~own]]])
    first, second = _each_once(first, second, outer)
    upright = np.bitwise_count(looks.phash[first] ^ looks.phash[second])
    turned = np.bitwise_count(looks.phash[first] ^ looks.mirrored[second])
    found = _judged(looks, (first, second), turned < upright, prove)
    return found._replace(distance=_distances(looks, found))


def by_grays(looks: PictureLooks, prove: Prove, outer: Mask | None = None) -> FoundPairs:
    """Find pictures that are the same among those of which a hash says little.

    Parameters
    ----------
    looks : PictureLooks
        Of the pictures.
    prove : callable
        `compare.Prover.prove`.
    outer : ndarray of bool, optional
        As in `by_hash`.

    Returns
    -------
    FoundPairs
        Each pair once.
    """
    rows = np.flatnonzero(looks.plain)
    lead = first_alike(looks.grays[rows], looks.colors[rows])
    lead = _standing(lead, None if outer is None else outer[rows])
    own = lead == np.arange(len(rows))
    first, second = plain_pairs(looks.grays, rows[own])
    first, second = np.r_[first, rows[~own]], np.r_[second, rows[lead[~own]]]
    first, second = _each_once(first, second, outer)
    return _judged(looks, (first, second), np.zeros(len(first), bool), prove)


def by_features(
    looks: PictureLooks, words: Sequence[Words], prove: Prove, outer: Mask | None = None
) -> FoundPairs:
    """Find pictures of which one lies on the other: crops, captions, borders.

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

    Returns
    -------
    FoundPairs
        Each pair once.
    """
    known = 0 if outer is None else int((~outer).sum())
    first, second = candidate_pairs(words, known)
    proofs = prove(looks.paths, (first, second), False, np.zeros(len(first), bool))
    unknown = np.full(len(first), np.nan, np.float32)
    same = proofs.answer == Relation.SAME
    found = FoundPairs(first, second, unknown, proofs.correlation, proofs.changed, same)
    return found.where(proofs.answer > Relation.STRANGERS)


def _standing(lead: Indices, outer: Mask | None) -> Indices:
    """Let the pictures of another set stand for themselves: each is compared with the others."""
    if outer is None:
        return lead
    return np.where(outer | outer[lead], np.arange(len(lead)), lead)


def _judged(
    looks: PictureLooks, pairs: tuple[Indices, Indices], turned: Mask, prove: Prove
) -> FoundPairs:
    """Decide by the reduced pictures where those are clear, and look closer where they are not."""
    first, second = pairs
    seen = resemblance(looks.grays, first, second, turned)
    plain, flat = looks.plain, looks.flat
    fits = _colors_fit(looks, pairs, turned)
    clear = (seen.residual <= SAME_RESIDUAL) & (seen.correlation >= SAME) & ~plain[first]
    both_flat = flat[first] & flat[second]
    clear = np.where(both_flat, fits & (seen.residual <= FLAT_RESIDUAL), clear & fits)
    # Laid on one another, pictures of few shapes agree in all but a small figure.
    simple = looks.simple & ~plain
    closer = ~(both_flat | simple[first] | simple[second])
    near = fits & (seen.correlation >= STRANGE) & ~clear & closer
    answer = np.where(clear, int(Relation.SAME), int(Relation.STRANGERS))
    # Flat pictures have no correlation to speak of: that they agree is what was found.
    correlation = np.where(both_flat, np.float32(1), seen.correlation)
    changed = np.zeros(len(first), np.float32)
    # Whole frames prove a copy alone; what is less alike must be placed by keypoints.
    copies = seen.correlation >= COPY
    for part, whole in ((near & copies, True), (near & ~copies, False)):
        rows = np.flatnonzero(part)
        proofs = prove(looks.paths, (first[rows], second[rows]), whole, turned[rows])
        answer[rows], correlation[rows], changed[rows] = proofs
    unknown = np.full(len(first), np.nan, np.float32)
    found = FoundPairs(first, second, unknown, correlation, changed, answer == Relation.SAME)
    return found.where(answer > Relation.STRANGERS)


def _colors_fit(looks: PictureLooks, pairs: tuple[Indices, Indices], turned: Mask) -> Mask:
    """Tell whose colors agree, or whose gray values show enough without."""
    first, second = pairs
    simple, plain, flat = looks.simple, looks.plain, looks.flat
    largest, mean = differences(looks.colors, first, second, turned)
    limit = np.where(flat[first] & flat[second], FLAT_COLOR, PLAIN_COLOR)
    told = (largest <= limit) | ~(plain[first] | plain[second])
    return told & ((mean <= SIMPLE_COLOR) | ~(simple[first] | simple[second]))


def _distances(looks: PictureLooks, found: FoundPairs) -> npt.NDArray[np.float32]:
    """Return the bits by which hashes differ, upright or mirrored."""
    own, theirs = looks.phash[found.first], looks.phash[found.second]
    turned = np.bitwise_count(own ^ looks.mirrored[found.second])
    return np.minimum(np.bitwise_count(own ^ theirs), turned).astype(np.float32)


def _each_once(first: Indices, second: Indices, outer: Mask | None) -> tuple[Indices, Indices]:
    """Return pairs in order and once, those across two sets alone if there are two."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    kept = low != high if outer is None else (low != high) & (outer[low] != outer[high])
    pairs = np.unique(np.stack([low[kept], high[kept]], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]
