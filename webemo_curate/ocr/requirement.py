"""The requirement that a box must meet for its text to be believed, as data and applied."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from webemo_curate.ocr.repetition import repeats_few_signs

NOT_ALPHANUMERIC = r"[^\p{L}\p{N}]"
CJK = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]"

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Agreement:
    """When a place that two networks find counts as text that the recognizer cannot read.

    Of a script it does not know the recognizer makes nothing, or a sign or two. Where it makes
    more, with little confidence, or repeats few signs, it is rather a pattern that resembles
    letters (docs/text.md).

    Attributes
    ----------
    score
        Detection score of the box.
    unread, read
        Detection score of the other network's in its place: where a few signs are read, if any, and
        where more are.
    signs
        So few letters and digits are read of an unknown script, whatever their confidence.
    together
        Sum of both scores that is needed beside.
    confidence, doubtful
        Where more signs are read with less confidence, the sum of both scores that is needed.
    repeating
        So many letters and digits of few signs repeated may still be an unknown script.
    periodic
        How much the pixels of a box repeat (`ocr.periodicity`) from which it is a pattern, unless
        more signs are read.
    shape
        Long side over short side that the box has at least: one letter, or ring, is no word.
    area
        Fraction of the image that it covers at most.
    """

    score: float
    unread: float
    read: float
    signs: int = 2
    together: float = 1.25
    confidence: float = 0.4
    doubtful: float = 1.5
    repeating: int = 6
    periodic: float = 0.75
    shape: float = 1.8
    area: float = 0.3


@dataclass(frozen=True)
class Rule:
    """The confidence a box must reach for its text to be believed.

    Recognizers guess on texture: the shorter the guess, the likelier it is a chance. So few
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
        recognizer cannot read are found. None: nothing does.
    drawn
        What is asked instead of boxes that the look for drawn words found; its own `min_area` says
        nothing. None: the same as of others.
    all_readings
        Whether the confidence asked of its length must be that of all readings of a box, moved a
        little (`ocr.steadiness`), not of the first one alone; one that was not read again passes.
    repeated
        Confidence asked of few signs, repeated (`ocr.repetition`), and of `periodic` boxes.
    periodic
        How much the pixels of a box repeat (`ocr.periodicity`) from which `repeated` is asked.
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
    all_readings: bool = False
    repeated: float = 0.0
    periodic: float = 0.75
    min_area: float = 0.0


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
    large = floats(boxes, "area") > np.float32(rule.large_area)
    asked = np.full(len(boxes), np.inf, np.float32)
    for length, confidence in rule.by_length:
        asked[letters >= length] = confidence
    if rule.all_readings:
        asked += _lack(boxes)
    asked = np.where(cjk, np.maximum(asked, np.float32(rule.cjk)), asked)
    asked = np.where(large, np.maximum(asked, np.float32(rule.large)), asked)
    few = np.array([repeats_few_signs(each) for each in text.to_pylist()], bool)
    repeated = few | (floats(boxes, "periodic") >= np.float32(rule.periodic))
    asked = np.where(repeated, np.maximum(asked, np.float32(rule.repeated)), asked)
    score = floats(boxes, "score")
    asked[score < np.float32(rule.least_score)] = np.inf
    if rule.certain_score is not None:
        asked[score >= np.float32(rule.certain_score)] = 0
    if rule.agreed is not None:
        asked[_in_unknown_script(boxes, letters, few, rule.agreed)] = 0
    return asked


def _lack(boxes: pa.StructArray) -> Floats:
    """Return what all readings of boxes lack of the first one's confidence, below 0 if less."""
    confidence, support = floats(boxes, "confidence"), floats(boxes, "support")
    return np.where(np.isnan(support), np.float32(0), confidence - support)


def _in_unknown_script(
    boxes: pa.StructArray, letters: NDArray[np.int32], few: NDArray[np.bool_], asked: Agreement
) -> NDArray[np.bool_]:
    """Tell which boxes count because two networks agree on them."""
    score, other = floats(boxes, "score"), floats(boxes, "agreed")
    read = letters > asked.signs
    doubtful = read & (floats(boxes, "confidence") < np.float32(asked.confidence))
    least = np.where(read, asked.read, asked.unread).astype(np.float32)
    together = np.where(doubtful, asked.doubtful, asked.together).astype(np.float32)
    certain = (score >= np.float32(asked.score)) & (other >= least) & (score + other >= together)
    certain &= ~(few & (letters > asked.repeating))
    certain &= read | (floats(boxes, "periodic") < np.float32(asked.periodic))
    certain &= floats(boxes, "area") <= np.float32(asked.area)
    certain[certain] = _shapes(boxes.filter(pa.array(certain))) >= asked.shape
    return certain


def _shapes(boxes: pa.StructArray) -> Floats:
    """Return the long side of boxes over the short one."""
    corners = np.asarray(pc.list_flatten(pc.struct_field(boxes, "polygon"))).reshape(-1, 4, 2)
    sides = np.linalg.norm(corners[:, [1, 3]] - corners[:, [0]], axis=2)
    shapes: Floats = sides.max(axis=1) / np.maximum(sides.min(axis=1), 1)
    return shapes


def floats(boxes: pa.StructArray, name: str) -> Floats:
    """Return a field of boxes as float32, one entry a box; NaN where it is null."""
    return np.array(pc.struct_field(boxes, name), np.float32)
