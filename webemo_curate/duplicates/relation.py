"""The answers of a closer look at two pictures: the same, siblings or strangers."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

import numpy as np
import numpy.typing as npt

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.geometry import Match
from webemo_curate.duplicates.placings import Mask, Placings


class Relation(IntEnum):
    """How two pictures are related; the larger, the closer."""

    STRANGERS = 0
    SIBLINGS = 1
    SAME = 2


SHARED_SCENE = 0.5
"""Share of the area with structure in which the same picture under an overlay still agrees."""

WHOLE_CORRELATION = 0.9
"""Least correlation of whole frames that no keypoint places: re-scaled copies of photos reach .94,
two strangers of one composition .84."""

PLACED = 0.45
"""Share of matched keypoints that agree on one placing of the same picture: .49 or more of crops
and edits at hand; .36 where a body was placed and the head had moved."""

SIBLING_SCENE = 0.75
"""The same for siblings; what an agency puts on all of its pictures is less of them."""

SIBLING_CORRELATION = 0.87
"""Correlation of siblings with what differs most set aside: .91 or more of 8 sittings; of soft
pictures under one agency's marks, which agree in as many keypoints, .86 or less."""


@dataclass(frozen=True)
class RelationLimits:
    """Where the limits between the answers lie.

    Attributes
    ----------
    inliers
        Keypoints that must agree on one placing.
    correlation
        Least correlation where the same picture overlaps.
    changed
        Largest changed part, as a share of the overlap, of the same picture.
    """

    inliers: int
    correlation: float
    changed: float

    @classmethod
    def of(cls, config: DedupConfig) -> Self:
        """Return the rule that a configuration gives."""
        return cls(config.min_inliers, config.min_correlation, config.max_changed)

    def answer(self, found: Match, whole: bool) -> Relation:
        """Judge a placing.

        Parameters
        ----------
        found : Match
            What it showed.
        whole : bool
            Whether whole frames were laid on one another, which needs no keypoint.

        Returns
        -------
        Relation
            Strangers, unless the pictures agree in most of the scene.
        """
        values = {field: np.array([getattr(found, field)]) for field in Placings._fields[1:]}
        placings = Placings(np.ones(1, bool), **values)
        return Relation(int(self.answers(placings, np.array([whole]))[0]))

    def answers(self, found: Placings, whole: Mask) -> npt.NDArray[np.int8]:
        """Judge many placings.

        Parameters
        ----------
        found : Placings
            What they showed.
        whole : ndarray of bool, shape (placings,)
            Whether whole frames were laid on one another, which needs no keypoint.

        Returns
        -------
        ndarray of int8, shape (placings,)
            A `Relation` each; strangers where the placing was not tried.
        """
        least = np.where(whole, max(self.correlation, WHOLE_CORRELATION), self.correlation)
        enough = found.measured & (found.correlation >= least.astype(found.correlation.dtype))
        enough &= whole | (found.inliers >= self.inliers)
        differs = (found.changed > self.changed) | (found.placed < PLACED)
        same = enough & (found.agreeing >= SHARED_SCENE) & ~differs
        # If no part differs but few keypoints agree, what agrees is a frame or a grid of marks.
        kin = enough & differs & (found.correlation >= SIBLING_CORRELATION)
        kin &= found.agreeing >= SIBLING_SCENE
        answer = np.select([same, kin], [Relation.SAME, Relation.SIBLINGS], Relation.STRANGERS)
        return answer.astype(np.int8)
