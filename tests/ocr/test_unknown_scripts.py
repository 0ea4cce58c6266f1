"""A place that two networks are certain of bears text in any script, unless it is a structure."""

from dataclasses import replace

import pytest

from tests.ocr.seen_boxes import RULE, bears_text, box
from webemo_curate.ocr.requirement import Agreement

ANY_SCRIPT = replace(RULE, repeated=0.9, agreed=Agreement(0.6, 0.45, 0.5))


@pytest.mark.parametrize(
    ("text", "verdict"), [("0800800", False), ("080080", True), ("abcdefg", True), ("08", True)]
)
def test_few_signs_repeated_at_length_are_no_unknown_script(text, verdict):
    assert bears_text(box(text, 0.45, score=1.0, agreed=1.0), rule=ANY_SCRIPT) == verdict


@pytest.mark.parametrize(("text", "verdict"), [("", False), ("08", False), ("abc", True)])
def test_pixels_that_repeat_are_no_unknown_script_unless_signs_are_read(text, verdict):
    found = box(text, 0.45, score=1.0, agreed=1.0, periodic=0.75)

    assert bears_text(found, rule=ANY_SCRIPT) == verdict


@pytest.mark.parametrize(
    ("text", "score", "agreed", "verdict"),
    [
        ("", 0.8, 0.45, True),
        ("", 0.9, 0.44, False),
        ("", 0.79, 0.45, False),
        ("", 0.6, 0.9, True),
        ("", 0.59, 0.9, False),
        ("abc", 0.8, 0.5, True),
        ("abc", 0.9, 0.49, False),
    ],
)
def test_a_place_that_two_networks_are_certain_of_bears_text_in_any_script(
    text, score, agreed, verdict
):
    found = box(text, 0.45, score=score, agreed=agreed)

    assert bears_text(found, rule=ANY_SCRIPT) == verdict
    assert not bears_text(found)


@pytest.mark.parametrize(
    ("text", "confidence", "agreed", "verdict"),
    [
        ("", 0.0, 0.6, True),
        ("ab", 0.1, 0.6, True),
        ("abc", 0.39, 0.6, False),
        ("abc", 0.4, 0.6, True),
        ("abc", 0.1, 0.7, True),
        ("abc", 0.1, 0.69, False),
    ],
)
def test_of_what_the_recognizer_doubts_two_networks_must_be_more_certain(
    text, confidence, agreed, verdict
):
    assert bears_text(box(text, confidence, agreed=agreed), rule=ANY_SCRIPT) == verdict


@pytest.mark.parametrize(
    ("size", "area", "verdict"),
    [
        ((18, 10), 0.3, True),
        ((10, 18), 0.3, True),
        ((17, 10), 0.3, False),
        ((0, 0), 0.0, False),
        ((18, 10), 0.31, False),
    ],
)
def test_a_ring_or_most_of_a_picture_is_no_word_of_an_unknown_script(size, area, verdict):
    assert bears_text(box("", 0.0, area, agreed=0.9, size=size), rule=ANY_SCRIPT) == verdict
