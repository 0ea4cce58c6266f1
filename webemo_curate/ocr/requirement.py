"""The confidence that a box must reach for its text to be believed."""

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
    """When two networks' agreement makes a box count although its script cannot be read.

    The recognizer reads nothing, or one or two characters, in a script that it does not know. If it
    reads more characters with little confidence, or repeats few characters, the box is more likely
    a pattern that resembles letters (docs/text.md).

    Attributes
    ----------
    score
        Least detection score of the box.
    unread, read
        Least detection score of the other network's box in its place: with at most `signs`
        characters read, and with more.
    signs
        Most letters and digits that are read from an unknown script, whatever their confidence.
    together
        Least sum of both scores, required in addition.
    confidence, doubtful
        Least sum of both scores if more characters are read with less confidence.
    repeating
        Most letters and digits, repeating few characters, that may still be an unknown script.
    periodic
        Share of repeating pixels (`ocr.periodicity`) from which a box is a pattern, unless more
        characters are read.
    shape
        Least ratio of long to short side: a single letter, or a ring, is not a word.
    area
        Largest fraction of the image that the box may cover.
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
    """The confidence that a box must reach for its text to be believed.

    Recognizers guess on texture, and a short guess is more often right by chance. Few characters
    therefore need high confidence. So do scripts with thousands of characters, some of which
    resemble any texture, and boxes so large that they are more likely a pattern than a word.

    Attributes
    ----------
    by_length
        Pairs of a number of letters and digits and the confidence required of a box with at least
        so many, in ascending order. A box with fewer than the first never counts.
    cjk
        Confidence required of text with Chinese, Japanese or Korean characters.
    large_area, large
        Fraction of the image from which a box is large, and the confidence then required.
    least_score
        Detection score that a box must have for its text to count.
    certain_score
        Detection score from which any box counts, whatever was read; None for no such score.
    agreed
        When a box counts because another network found the same place. This finds scripts that the
        recognizer cannot read. None for never.
    drawn
        The rule for boxes found by the look for drawn words; its own `min_area` is ignored. None
        for the same rule as for other boxes.
    all_readings
        Whether the confidence required for its length must be reached by the mean of all readings
        of the moved box (`ocr.steadiness`), not only the first. A box that was not read again
        passes.
    repeated
        Confidence required of few, repeated characters (`ocr.repetition`), and of `periodic` boxes;
        with `all_readings` of the first reading and of their mean.
    periodic
        Share of repeating pixels (`ocr.periodicity`) from which `repeated` is required.
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
    """Return the confidence that each box must reach; infinite if no confidence suffices.

    Parameters
    ----------
    boxes : pa.StructArray
        Boxes of type `schemas.TEXT_BOX`.
    rule : Rule
        The requirements.

    Returns
    -------
    numpy.ndarray
        float32, one entry for each box.
    """
    drawn = pc.struct_field(boxes, "drawn").to_numpy(zero_copy_only=False)
    asked = np.empty(len(boxes), np.float32)
    for chosen, its_rule in ((~drawn, rule), (drawn, rule.drawn or rule)):
        if chosen.any():  # images are decided one by one during OCR, so time matters
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
    lack = _lack(boxes) if rule.all_readings else np.zeros(len(boxes), np.float32)
    asked += lack
    asked = np.where(cjk, np.maximum(asked, np.float32(rule.cjk)), asked)
    asked = np.where(large, np.maximum(asked, np.float32(rule.large)), asked)
    few = np.array([repeats_few_signs(each) for each in text.to_pylist()], bool)
    repeated = few | (floats(boxes, "periodic") >= np.float32(rule.periodic))
    # Of these the first reading and all readings together are asked alike.
    steadily = np.float32(rule.repeated) + np.maximum(lack, np.float32(0))
    asked = np.where(repeated, np.maximum(asked, steadily), asked)
    score = floats(boxes, "score")
    asked[score < np.float32(rule.least_score)] = np.inf
    if rule.certain_score is not None:
        asked[score >= np.float32(rule.certain_score)] = 0
    if rule.agreed is not None:
        asked[_in_unknown_script(boxes, letters, few, rule.agreed)] = 0
    return asked


def _lack(boxes: pa.StructArray) -> Floats:
    """Return how far all readings of a box fall short of the first one's confidence, below 0."""
    confidence, support = floats(boxes, "confidence"), floats(boxes, "support")
    return np.where(np.isnan(support), np.float32(0), confidence - support)


def _in_unknown_script(
    boxes: pa.StructArray, letters: NDArray[np.int32], few: NDArray[np.bool_], asked: Agreement
) -> NDArray[np.bool_]:
    """Return which boxes count because two networks agree on them."""
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
    """Return the ratio of each box's long side to its short side."""
    corners = np.asarray(pc.list_flatten(pc.struct_field(boxes, "polygon"))).reshape(-1, 4, 2)
    sides = np.linalg.norm(corners[:, [1, 3]] - corners[:, [0]], axis=2)
    shapes: Floats = sides.max(axis=1) / np.maximum(sides.min(axis=1), 1)
    return shapes


def floats(boxes: pa.StructArray, name: str) -> Floats:
    """Return a field of boxes as float32, one entry for each box; NaN for null."""
    return np.array(pc.struct_field(boxes, name), np.float32)
