"""Build the detector that a configuration asks for: several looks at an image, in turn."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, NamedTuple

from webemo_curate.config import OcrConfig, TextRuleConfig
from webemo_curate.ocr.detector import TextDetector
from webemo_curate.ocr.easyocr.easyocr_detector import EasyDetector
from webemo_curate.ocr.easyocr.weight_files import require_weights
from webemo_curate.ocr.overlay.overlay_network import OVERLAY_TEXT
from webemo_curate.ocr.rapidocr import rapidocr_detector as rapid
from webemo_curate.ocr.rapidocr.rapidocr_detector import RapidDetector
from webemo_curate.ocr.requirement import Rule
from webemo_curate.ocr.rule import CLOSE_RULE, DRAWN_RULE, PRESETS
from webemo_curate.ocr.second_look import SecondLook
from webemo_curate.ocr.selection import EngineChoice

DRAWN_SIDE = 256
"""Pixels of the short side when looking for words drawn over a photo. The second look is not meant
for words too small for the first."""

CLOSE_SIDE = 384
"""Pixels of the short side when looking for them once more, closer, where that look confirms none:
small and thin words, and words in the scene (docs/text.md)."""


class _Again(NamedTuple):
    """A further look: its name and settings, its detector, and the rule that confirms its text."""

    name: str
    settings: Any
    detector: TextDetector
    rule: Rule
    independent: bool


def make_detector(config: OcrConfig, choice: EngineChoice) -> TextDetector:
    """Build the chosen detector, not yet set up.

    Parameters
    ----------
    config : OcrConfig
        Size, score floor, batch size, and the folder of weight files.
    choice : EngineChoice
        The result of `choose_engine` for this configuration.

    Returns
    -------
    TextDetector
        Picklable; nothing is loaded before `setup`.
    """
    confirming = confirming_rule(choice.engine)
    detector = _detector_at(config.short_side, config, choice)
    for again in _further(config, choice):
        detector = SecondLook(detector, again.detector, confirming, again.rule, again.independent)
    return detector


def looks_again(config: OcrConfig, choice: EngineChoice) -> dict[str, Any]:
    """Describe the looks after a first look that confirms nothing; they affect the boxes.

    Parameters
    ----------
    config : OcrConfig
        The second side, and whether to look for drawn words.
    choice : EngineChoice
        The result of `choose_engine` for this configuration.

    Returns
    -------
    dict
        Empty if there is only one look.
    """
    looks = {again.name: again.settings for again in _further(config, choice)}
    return looks | {"confirming_rule": asdict(confirming_rule(choice.engine))} if looks else {}


def confirming_rule(engine: str) -> Rule:
    """Return the rule that an engine's boxes must meet to make a second look unnecessary.

    Parameters
    ----------
    engine : str
        `rapidocr` or `easyocr`.

    Returns
    -------
    Rule
        That of the default preset, whichever preset the user chose.
    """
    return PRESETS[engine][TextRuleConfig().preset]


def _further(config: OcrConfig, choice: EngineChoice) -> Iterator[_Again]:
    """Yield the looks after the first, in order."""
    if config.second_side is not None:
        detector = _detector_at(config.second_side, config, choice)
        rule = confirming_rule(choice.engine)
        yield _Again("second_side", config.second_side, detector, rule, independent=False)
    if config.drawn:
        looks = (
            ("drawn_words", DRAWN_SIDE, DRAWN_RULE),
            ("drawn_words_close", CLOSE_SIDE, CLOSE_RULE),
        )
        for name, side, rule in looks:
            yield _drawn_words(name, side, rule, config, choice)


def _drawn_words(
    name: str, side: int, rule: Rule, config: OcrConfig, choice: EngineChoice
) -> _Again:
    """Return a look for words drawn over photos; rapidocr reads them, whatever looked first."""
    detector = RapidDetector(
        choice.device, side, config.score_floor, config.batch_size, OVERLAY_TEXT
    )
    settings = [OVERLAY_TEXT.file, side, asdict(rule), rapid.engine_version(choice.device)]
    # The closer look is the same network's: where it sees a place again, that is no new evidence.
    return _Again(name, settings, detector, rule, independent=side == DRAWN_SIDE)


def _detector_at(short_side: int, config: OcrConfig, choice: EngineChoice) -> TextDetector:
    if choice.engine == "rapidocr":
        return RapidDetector(
            choice.device,
            short_side,
            config.score_floor,
            config.batch_size,
        )
    detection, recognition = require_weights(config.models)
    return EasyDetector(
        detection,
        recognition,
        choice.device,
        short_side,
        config.score_floor,
        config.batch_size,
    )
