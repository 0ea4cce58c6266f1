"""When a box counts as text: the rule as data, its presets per engine, and its application."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from webemo_curate.config import FilterTextConfig
from webemo_curate.ocr.repetition import repeats_few_signs

NOT_ALPHANUMERIC = r"[^\p{L}\p{N}]"
CJK = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]"

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Agreement:
    """When a place that two networks find counts as text that the recogniser cannot read.

    Of a script it does not know the recogniser makes nothing, or a sign or two. Where it makes
    more, with little confidence or of few signs repeated, it is rather a pattern that resembles
    letters (docs/text.md).

    Attributes
    ----------
    score, other
        Detection scores of the box and of the other network's in its place.
    signs
        So few letters and digits are read of an unknown script, whatever their confidence.
    confidence
        What is asked where more are read.
    together
        Sum of both scores that is needed beside.
    sure, sure_other
        Detection scores, as `score` and `other`, from which a place counts with how little
        confidence it may be read.
    """

    score: float
    other: float
    signs: int = 2
    confidence: float = 0.4
    together: float = 1.25
    sure: float = 0.83
    sure_other: float = 0.55


@dataclass(frozen=True)
class Rule:
    """The confidence a box must reach for its text to be believed.

    Recognisers guess on texture: the shorter the guess, the likelier it is a chance. So few
    characters need much confidence; so do the scripts of thousands of characters, among which any
    texture finds a likeness, and boxes so large that they are more likely a pattern than a word.

    Attributes
    ----------
    by_length
        Pairs of a number of letters and digits and the confidence asked of a box with so many or
        more, in growing order. A box with fewer than the first never counts.
    cjk
        Confidence asked of text with Chinese, Japanese or Korean characters.
    large_area, large
        Fraction of the image from which a box is large, and the confidence then asked.
    least_score
        Detection score that a box must have for its text to count.
    certain_score
        Detection score that makes any box count, whatever was read; None: no score does.
    agreed
        What makes a box count if another network found the same place: so the scripts that the
        recogniser cannot read are found. None: nothing does.
    drawn
        What is asked instead of boxes that the look for drawn words found; its own `min_area` says
        nothing. None: the same as of others.
    stable
        How alike the readings of a box must be when it is moved a little (`ocr.steadiness`); one
        that was not read again passes.
    unsteady
        Confidence asked beyond that of a box that reads wholly otherwise when it is moved, and in
        proportion where it reads otherwise in part.
    repeated
        Confidence asked of few signs, repeated (`ocr.repetition`).
    min_area
        Least fraction of the image that the believed boxes of an image must cover together.
    """

    by_length: tuple[tuple[int, float], ...]
    cjk: float
    large_area: float
    large: float
    least_score: float = 0.0
    certain_score: float | None = None
    agreed: Agreement | None = None
    drawn: "Rule | None" = None
    stable: float = 0.0
    unsteady: float = 0.0
    repeated: float = 0.0
    min_area: float = 0.0


LARGE_AREA = 0.2

STABLE = 0.3
"""Likeness of readings that is asked of drawn words: theirs are mostly alike by .6 and more, of
those guessed over patterns half by less than this (docs/text.md)."""

UNSTEADY = 0.2
"""Confidence asked more of a box that reads wholly otherwise when moved."""

REPEATED = 0.9
"""Confidence asked of few signs, repeated: over chains `0808` is read with up to .85."""

DRAWN_RULE = Rule(
    ((2, 0.98), (3, 0.8), (5, 0.6)),
    0.95,
    LARGE_AREA,
    0.95,
    least_score=0.3,
    stable=STABLE,
    repeated=REPEATED,
)
"""What confirms words drawn over a photo, found by our network and read by rapidocr's."""

_LENIENT = Rule(
    ((3, 0.9), (4, 0.8)),
    0.95,
    LARGE_AREA,
    0.98,
    least_score=0.5,
    unsteady=UNSTEADY,
    repeated=REPEATED,
    min_area=0.01,
)

_RAPIDOCR = {
    "strict": Rule(((1, 0.3),), 0.5, LARGE_AREA, 0.5, certain_score=0.6),
    "balanced": Rule(
        ((2, 0.8), (3, 0.7), (4, 0.6), (5, 0.4)),
        0.85,
        LARGE_AREA,
        0.95,
        least_score=0.4,
        agreed=Agreement(0.65, 0.5),
        drawn=DRAWN_RULE,
        unsteady=UNSTEADY,
        repeated=REPEATED,
    ),
    "lenient": replace(_LENIENT, drawn=replace(_LENIENT, stable=STABLE)),
}

# What the look for drawn words finds rapidocr's recogniser reads, beside EasyOCR's networks too.
_EASYOCR = {
    "strict": Rule(((1, 0.1),), 0.1, LARGE_AREA, 0.1, certain_score=0.7, drawn=_RAPIDOCR["strict"]),
    "balanced": Rule(((2, 0.8), (3, 0.6), (4, 0.3)), 0.8, LARGE_AREA, 0.9, drawn=DRAWN_RULE),
    "lenient": Rule(
        ((3, 0.9), (4, 0.6)), 0.9, LARGE_AREA, 0.95, min_area=0.01, drawn=_RAPIDOCR["lenient"].drawn
    ),
}

PRESETS: Mapping[str, Mapping[str, Rule]] = {"rapidocr": _RAPIDOCR, "easyocr": _EASYOCR}
"""Engine -> preset -> rule. An engine's confidence means nothing to another's thresholds."""


@dataclass(frozen=True)
class Decisions:
    """What a rule says of images, one entry each.

    Attributes
    ----------
    score
        Confidence of the box that counts most clearly or came nearest to it; 0 if none could.
    threshold
        Confidence that box had to reach; NaN if none could count.
    area
        Fraction of the image under believed text.
    text
        The believed text, boxes joined by blanks.
    bears_text
        The verdict.
    """

    score: Floats
    threshold: Floats
    area: Floats
    text: pa.Array
    bears_text: NDArray[np.bool_]


def rules(config: FilterTextConfig) -> dict[str, Rule]:
    """Return each engine's rule under a configuration.

    Parameters
    ----------
    config : FilterTextConfig
        Names a preset; `threshold` and `min_area` replace the preset's.

    Returns
    -------
    dict of str to Rule
        Engine -> rule.
    """
    return {engine: _adjust(presets[config.preset], config) for engine, presets in PRESETS.items()}


def decide(boxes: pa.ListArray, rule: Rule) -> Decisions:
    """Apply a rule to the stored boxes of images.

    Parameters
    ----------
    boxes : pa.ListArray
        For each image its boxes, of type `schemas.TEXT_BOX`.
    rule : Rule
        What to hold them against.

    Returns
    -------
    Decisions
        One entry an image.
    """
    images = len(boxes)
    parents = np.asarray(pc.list_parent_indices(boxes))
    flat = pc.list_flatten(boxes)
    confidence = _floats(flat, "confidence")
    asked = required_confidence(flat, rule)
    believed = confidence >= asked
    score, threshold = _decisive(images, parents, confidence, asked)
    counts = np.bincount(parents[believed], minlength=images)
    frames = np.asarray(pc.struct_field(flat, "frame"))[believed]
    area = _covered(images, parents[believed], frames, _floats(flat, "area")[believed])
    text = _join(pc.struct_field(flat, "text").filter(pa.array(believed)), counts)
    # The floor is cast as the areas are, or 0.01 would be more than float32's 0.01.
    bears_text = (counts > 0) & (area >= np.float32(rule.min_area))
    return Decisions(score, threshold, area, text, bears_text)


def required_confidence(boxes: pa.StructArray, rule: Rule) -> Floats:
    """Return the confidence that each box must reach; infinite where none would do.

    Parameters
    ----------
    boxes : pa.StructArray
        Boxes of type `schemas.TEXT_BOX`.
    rule : Rule
        What is asked.

    Returns
    -------
    numpy.ndarray
        float32, one entry a box.
    """
    drawn = pc.struct_field(boxes, "drawn").to_numpy(zero_copy_only=False)
    asked = np.empty(len(boxes), np.float32)
    for chosen, its_rule in ((~drawn, rule), (drawn, rule.drawn or rule)):
        if chosen.any():  # an image is decided alone, while it is looked at: its time counts
            asked[chosen] = _asked(boxes.filter(pa.array(chosen)), its_rule)
    return asked


def _asked(boxes: pa.StructArray, rule: Rule) -> Floats:
    text = pc.struct_field(boxes, "text")
    letters = np.asarray(pc.utf8_length(pc.replace_substring_regex(text, NOT_ALPHANUMERIC, "")))
    cjk = np.asarray(pc.match_substring_regex(text, CJK))
    large = _floats(boxes, "area") > np.float32(rule.large_area)
    asked = np.full(len(boxes), np.inf, np.float32)
    for length, confidence in rule.by_length:
        asked[letters >= length] = confidence
    asked = np.where(cjk, np.maximum(asked, np.float32(rule.cjk)), asked)
    asked = np.where(large, np.maximum(asked, np.float32(rule.large)), asked)
    few = np.array([repeats_few_signs(each) for each in text.to_pylist()], bool)
    asked = np.where(few, np.maximum(asked, np.float32(rule.repeated)), asked)
    stable = np.nan_to_num(_floats(boxes, "stable"), nan=1.0)  # null: it was not read again
    asked = asked + np.float32(rule.unsteady) * (1 - stable)
    score = _floats(boxes, "score")
    asked[(score < np.float32(rule.least_score)) | (stable < np.float32(rule.stable))] = np.inf
    if rule.certain_score is not None:
        asked[score >= np.float32(rule.certain_score)] = 0
    if rule.agreed is not None:
        asked[_in_unknown_script(boxes, letters, few, rule.agreed)] = 0
    return asked


def _in_unknown_script(
    boxes: pa.StructArray, letters: NDArray[np.int32], few: NDArray[np.bool_], asked: Agreement
) -> NDArray[np.bool_]:
    """Tell which boxes count because two networks agree on them."""
    read = letters > asked.signs
    doubtful = read & (_floats(boxes, "confidence") < np.float32(asked.confidence))
    score, other = _floats(boxes, "score"), _floats(boxes, "agreed")
    certain = (score >= np.float32(asked.score)) & (other >= np.float32(asked.other))
    certain &= score + other >= np.float32(asked.together)
    sure = (score >= np.float32(asked.sure)) & (other >= np.float32(asked.sure_other))
    return (sure | (certain & ~doubtful)) & ~(read & few)


def _adjust(rule: Rule, config: FilterTextConfig) -> Rule:
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
            stable=0.0,
            unsteady=0.0,
            repeated=0.0,
        )
    return rule if config.min_area is None else replace(rule, min_area=config.min_area)


def _floats(boxes: pa.StructArray, name: str) -> Floats:
    return np.array(pc.struct_field(boxes, name), np.float32)


def _covered(images: int, parents: NDArray[Any], frames: NDArray[Any], areas: Floats) -> Floats:
    """Add up areas by image, in the frame of an animation that has most.

    Overlapping boxes cannot make more than the whole of it.
    """
    seen, place = np.unique(np.stack([parents, frames]), axis=1, return_inverse=True)
    by_frame = np.bincount(place.ravel(), areas, seen.shape[1])
    most = np.zeros(images)
    np.maximum.at(most, seen[0], by_frame)
    return np.minimum(most, 1).astype(np.float32)


def _decisive(
    images: int, parents: NDArray[Any], confidence: Floats, asked: Floats
) -> tuple[Floats, Floats]:
    """Return confidence and requirement of each image's box with the largest margin."""
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
