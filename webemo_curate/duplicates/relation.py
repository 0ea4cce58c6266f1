"""The answers of a closer look at two pictures: the same, siblings or strangers."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.geometry import Match


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
        least = max(self.correlation, WHOLE_CORRELATION) if whole else self.correlation
        if found.correlation < least:
            return Relation.STRANGERS
        enough = whole or found.inliers >= self.inliers
        differs = found.changed > self.changed or found.placed < PLACED
        if enough and found.agreeing >= SHARED_SCENE and not differs:
            return Relation.SAME
        # If no part differs but few keypoints agree, what agrees is a frame or a grid of marks.
        kin = differs and found.correlation >= SIBLING_CORRELATION
        if enough and kin and found.agreeing >= SIBLING_SCENE:
            return Relation.SIBLINGS
        return Relation.STRANGERS
