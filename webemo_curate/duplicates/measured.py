"""Measured pairs, and what limits make of them: the measures stay, the answers follow."""

from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from webemo_curate.duplicates.hash_keys import Indices
from webemo_curate.duplicates.placings import Floats, Mask, Placings
from webemo_curate.duplicates.relation import Relation, RelationLimits

NO_BITS = -1
"""In place of a distance where no hash proposed the pair."""


class Method(StrEnum):
    """How a pair was found; the earlier, the surer."""

    PIXELS = "pixels"
    PHASH = "phash"
    GRAYS = "grays"
    FEATURES = "features"
    REVIEW = "review"


class Placing(StrEnum):
    """How one picture was laid on the other."""

    REDUCED = "reduced"
    WHOLE = "whole"
    KEYPOINTS = "keypoints"


PLACINGS = tuple(Placing)
"""In the order in which they are preferred where their answers are equal."""


class MeasuredPairs(NamedTuple):
    """What was measured of pairs that one method proposed, a row a placing.

    Attributes
    ----------
    first, second
        int64 positions.
    mirrored
        bool, whether the second was compared as its mirror image.
    distance
        int16 bits between the hashes; `NO_BITS` where no hash proposed the pair.
    placing
        int8 index into `PLACINGS`.
    clear
        bool, whether the reduced pictures alone say that it is the same picture.
    showed
        What the placing showed; of reduced pictures the correlation alone counts.
    """

    first: Indices
    second: Indices
    mirrored: Mask
    distance: npt.NDArray[np.int16]
    placing: npt.NDArray[np.int8]
    clear: Mask
    showed: Placings

    def where(self, kept: npt.NDArray[np.bool_]) -> "MeasuredPairs":
        """Return some of the rows."""
        own = [values[kept] for values in self[:-1]]
        return MeasuredPairs._make([*own, self.showed.where(kept)])

    def moved(self, rows: Indices) -> "MeasuredPairs":
        """Return the same pairs by their positions among all pictures."""
        return self._replace(first=rows[self.first], second=rows[self.second])


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
    distance: Floats
    correlation: Floats
    changed: Floats
    same: Mask

    def where(self, kept: npt.NDArray[np.bool_]) -> "FoundPairs":
        """Return some of the pairs."""
        return FoundPairs._make(values[kept] for values in self)


def joined(parts: list[MeasuredPairs]) -> MeasuredPairs:
    """Return the rows of several tables, one or more, one after another."""
    own = [np.concatenate(columns) for columns in zip(*(part[:-1] for part in parts), strict=True)]
    showed = zip(*(part.showed for part in parts), strict=True)
    return MeasuredPairs._make([*own, Placings._make(map(np.concatenate, showed))])


def answers(measured: MeasuredPairs, limits: RelationLimits) -> npt.NDArray[np.int8]:
    """Judge each placing of measured pairs.

    Parameters
    ----------
    measured : MeasuredPairs
        The rows.
    limits : RelationLimits
        Where the limits between the answers lie.

    Returns
    -------
    ndarray of int8, shape (rows,)
        A `Relation` each.
    """
    reduced = measured.placing == PLACINGS.index(Placing.REDUCED)
    whole = measured.placing == PLACINGS.index(Placing.WHOLE)
    placed = limits.answers(measured.showed, whole)
    alone = np.where(measured.clear, int(Relation.SAME), int(Relation.STRANGERS))
    return np.where(reduced, alone, placed).astype(np.int8)


def judged(measured: MeasuredPairs, limits: RelationLimits) -> FoundPairs:
    """Return the pairs that are the same or siblings, each by the placing that says most.

    Parameters
    ----------
    measured : MeasuredPairs
        What one method proposed.
    limits : RelationLimits
        Where the limits between the answers lie.

    Returns
    -------
    FoundPairs
        Each pair once, sorted.
    """
    answer = answers(measured, limits)
    order = np.lexsort((measured.placing, -answer, measured.second, measured.first))
    first, second = measured.first[order], measured.second[order]
    begins = np.ones(len(order), bool)
    begins[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    chosen = order[begins]
    chosen = chosen[answer[chosen] > Relation.STRANGERS]
    bits, showed = measured.distance[chosen], measured.showed
    reduced = measured.placing[chosen] == PLACINGS.index(Placing.REDUCED)
    return FoundPairs(
        measured.first[chosen],
        measured.second[chosen],
        np.where(bits == NO_BITS, np.nan, bits).astype(np.float32),
        showed.correlation[chosen],
        np.where(reduced, 0, showed.changed[chosen]).astype(np.float32),
        answer[chosen] == Relation.SAME,
    )
