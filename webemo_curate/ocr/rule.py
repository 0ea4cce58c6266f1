"""Decide whether an image bears text: presets for each engine, verdicts from stored boxes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from webemo_curate.config import TextRuleConfig
from webemo_curate.ocr.requirement import Agreement, Floats, Rule, floats, required_confidence

LARGE_AREA = 0.2

REPEATED = 0.95
"""Confidence required of few repeated characters or pixels: on chains, `0808` is read with up to
.94."""

DRAWN_LARGE_AREA = 0.4
"""Largest area of drawn words, which span a photo more often than words in the scene."""

DRAWN_RULE = Rule(
    ((2, 0.9), (3, 0.85), (4, 0.5), (6, 0.45)),
    0.95,
    DRAWN_LARGE_AREA,
    0.95,
    least_score=0.3,
    all_readings=True,
    repeated=REPEATED,
)
"""Rule for words drawn over a photo, found by our network and read by rapidocr's."""

CLOSE_RULE = replace(DRAWN_RULE, by_length=((2, 0.9), (3, 0.85), (6, 0.58)))
"""Rule that confirms them in the closer look. On the tuning half teeth are read as `REEL` there,
with a support of .78, pieces of photos side by side as `ANHIDE`, with .57 (docs/text.md)."""

_LENIENT = Rule(
    ((3, 0.85), (4, 0.75)),
    0.95,
    LARGE_AREA,
    0.98,
    least_score=0.5,
    all_readings=True,
    repeated=REPEATED,
    min_area=0.01,
)

_RAPIDOCR = {
    "strict": Rule(((1, 0.3),), 0.5, LARGE_AREA, 0.5, certain_score=0.6),
    "balanced": Rule(
        ((2, 0.85), (3, 0.6)),
        0.85,
        LARGE_AREA,
        0.95,
        least_score=0.4,
        agreed=Agreement(0.65, 0.45, 0.5),
        drawn=DRAWN_RULE,
        all_readings=True,
        repeated=REPEATED,
    ),
    "lenient": _LENIENT,
}

# Drawn words are read by rapidocr's recognizer, also beside EasyOCR's networks.
_EASYOCR = {
    "strict": Rule(((1, 0.1),), 0.1, LARGE_AREA, 0.1, certain_score=0.7, drawn=_RAPIDOCR["strict"]),
    "balanced": Rule(((2, 0.8), (3, 0.6), (4, 0.3)), 0.8, LARGE_AREA, 0.9, drawn=DRAWN_RULE),
    "lenient": Rule(((3, 0.9), (4, 0.6)), 0.9, LARGE_AREA, 0.95, min_area=0.01, drawn=_LENIENT),
}

PRESETS: Mapping[str, Mapping[str, Rule]] = {"rapidocr": _RAPIDOCR, "easyocr": _EASYOCR}
"""Rules by engine and preset. Confidences of two engines are not comparable."""


@dataclass(frozen=True)
class Decisions:
    """A rule's decisions, one entry for each image.

    Attributes
    ----------
    score
        Confidence of the box that counts most clearly or came nearest to counting; 0 if none could.
    threshold
        Confidence that this box had to reach; NaN if none could count.
    area
        Fraction of the image under believed text.
    text
        The believed text, boxes joined by blanks.
    bears_text
        Whether the image bears text.
    """

    score: Floats
    threshold: Floats
    area: Floats
    text: pa.Array
    bears_text: NDArray[np.bool_]


def rules(config: TextRuleConfig) -> dict[str, Rule]:
    """Return each engine's rule under a configuration.

    Parameters
    ----------
    config : TextRuleConfig
        Names a preset; `threshold` and `min_area` override the preset's.

    Returns
    -------
    dict of str to Rule
        Rules by engine.
    """
    return {engine: _adjust(presets[config.preset], config) for engine, presets in PRESETS.items()}


def decide(boxes: pa.ListArray, rule: Rule) -> Decisions:
    """Apply a rule to the stored boxes of images.

    Parameters
    ----------
    boxes : pa.ListArray
        The boxes of each image, of type `schemas.TEXT_BOX`.
    rule : Rule
        The rule to apply.

    Returns
    -------
    Decisions
        One entry for each image.
    """
    images = len(boxes)
    parents = np.asarray(pc.list_parent_indices(boxes))
    flat = pc.list_flatten(boxes)
    confidence = floats(flat, "confidence")
    asked = required_confidence(flat, rule)
    believed = confidence >= asked
    score, threshold = _decisive(images, parents, confidence, asked)
    counts = np.bincount(parents[believed], minlength=images)
    frames = np.asarray(pc.struct_field(flat, "frame"))[believed]
    area = _covered(images, parents[believed], frames, floats(flat, "area")[believed])
    text = _join(pc.struct_field(flat, "text").filter(pa.array(believed)), counts)
    # Cast like the areas: 0.01 in double precision exceeds 0.01 in single precision.
    bears_text = (counts > 0) & (area >= np.float32(rule.min_area))
    return Decisions(score, threshold, area, text, bears_text)


def _adjust(rule: Rule, config: TextRuleConfig) -> Rule:
    if config.threshold is not None:
        fewest, _ = rule.by_length[0]
        rule = replace(
            rule,
            by_length=((fewest, config.threshold),),
            cjk=config.threshold,
            large=config.threshold,
            least_score=0.0,
            certain_score=None,
            agreed=None,
            drawn=None,
            all_readings=False,
            repeated=0.0,
        )
    return rule if config.min_area is None else replace(rule, min_area=config.min_area)


def _covered(images: int, parents: NDArray[Any], frames: NDArray[Any], areas: Floats) -> Floats:
    """Sum areas by image, in the frame of an animation with the largest sum.

    Overlapping boxes count as the whole image at most.
    """
    seen, place = np.unique(np.stack([parents, frames]), axis=1, return_inverse=True)
    by_frame = np.bincount(place.ravel(), areas, seen.shape[1])
    most = np.zeros(images)
    np.maximum.at(most, seen[0], by_frame)
    return np.minimum(most, 1).astype(np.float32)


def _decisive(
    images: int, parents: NDArray[Any], confidence: Floats, asked: Floats
) -> tuple[Floats, Floats]:
    """Return the confidence of each image's box with the largest margin, and its requirement."""
    score, threshold = np.zeros(images, np.float32), np.full(images, np.nan, np.float32)
    can_count = np.flatnonzero(np.isfinite(asked))
    margin = confidence[can_count] - asked[can_count]
    best_first = can_count[np.lexsort((-margin, parents[can_count]))]
    owners, first = np.unique(parents[best_first], return_index=True)
    decisive = best_first[first]
    score[owners], threshold[owners] = confidence[decisive], asked[decisive]
    return score, threshold


def _join(texts: pa.Array, counts: NDArray[np.int64]) -> pa.Array:
    """Join runs of `counts[i]` consecutive texts by blanks."""
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), texts), " ")
