"""The rule believes a box by what was read, how surely, and how large it is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ocr.seen_boxes import RULE, bears_text, box, images
from webemo_curate.config import FilterTextConfig
from webemo_curate.ocr.rule import PRESETS, decide, rules


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (box("ab", 0.8), True),
        (box("ab", 0.79), False),
        (box("abc", 0.7), True),
        (box("abc", 0.69), False),
        (box("abcd", 0.5), True),
        (box("abcd", 0.49), False),
        (box("a", 1.0), False),
        (box("", 1.0), False),
        (box("a-!. ", 1.0), False),
        (box("a b c d", 0.5), True),
        (box("über", 0.5), True),
        (box("δέλτα", 0.5), True),
        (box("漢字漢字", 0.84), False),
        (box("漢字漢字", 0.85), True),
        (box("ひらがな", 0.84), False),
        (box("abcd", 0.9, area=0.21), False),
        (box("abcd", 0.96, area=0.21), True),
    ],
)
def test_a_box_is_believed_by_length_script_and_size(seen, verdict):
    assert bears_text(seen) is verdict


def test_an_image_without_boxes_is_clean_and_has_no_threshold():
    decisions = decide(images([], [box()], []), RULE)

    assert decisions.bears_text.tolist() == [False, True, False]
    assert decisions.score[[0, 2]].tolist() == [0, 0]
    assert np.isnan(decisions.threshold[[0, 2]]).all()
    assert decisions.text.to_pylist() == ["", "word", ""]


def test_the_score_is_that_of_the_box_nearest_to_counting():
    decisions = decide(images([box("ab", 0.75), box("abcd", 0.4), box("x", 1.0)]), RULE)

    assert decisions.score[0] == np.float32(0.75)
    assert decisions.threshold[0] == np.float32(0.8)


def test_only_believed_boxes_make_text_and_area():
    decisions = decide(
        images([box("good", area=0.1), box("zz", 0.1, area=0.3), box("day", area=0.05)]), RULE
    )

    assert decisions.text.to_pylist() == ["good day"]
    assert decisions.area[0] == pytest.approx(0.15)


def test_text_under_the_least_area_leaves_the_image_clean():
    asked = replace(RULE, min_area=0.05)

    assert bears_text(box(area=0.05), rule=asked)
    assert not bears_text(box(area=0.049), rule=asked)


def test_areas_of_overlapping_boxes_cover_at_most_the_image():
    assert decide(images([box(confidence=1.0, area=0.7)] * 3), RULE).area[0] == 1


def test_a_box_under_the_least_detection_score_never_counts():
    careful = replace(RULE, least_score=0.4)

    assert bears_text(box(confidence=1.0, score=0.4), rule=careful)
    assert not bears_text(box(confidence=1.0, score=0.39), rule=careful)


def test_a_certain_detection_counts_whatever_was_read():
    hint = replace(RULE, certain_score=0.9)

    assert bears_text(box("", 0.0, score=0.9), rule=hint)
    assert not bears_text(box("", 0.0, score=0.89), rule=hint)


def test_a_threshold_replaces_every_confidence_of_the_preset():
    rule = rules(FilterTextConfig(threshold=0.6, min_area=0.02))["rapidocr"]

    for text, area in [("ab", 0.05), ("abcd", 0.05), ("漢字", 0.05), ("abcd", 0.3)]:
        assert bears_text(box(text, 0.6, area), rule=rule)
        assert not bears_text(box(text, 0.59, area), rule=rule)
    assert not bears_text(box("abcd", 0.9, 0.01), rule=rule)


def read_box(*, confidence, again, **seen):
    """Return a box whose two further readings, if there are any, say `again` for the first one."""
    support = None if again is None or confidence < 0.4 else (confidence + 2 * again) / 3
    return box(confidence=confidence, support=support, **seen)


boxes = st.builds(
    read_box,
    text=st.text("aB1 .漢", max_size=9),
    confidence=st.floats(0, 1, width=32),
    area=st.floats(0, 1, width=32),
    score=st.floats(0, 1, width=32),
    agreed=st.floats(0, 1, width=32),
    drawn=st.booleans(),
    again=st.none() | st.floats(0, 1, width=32),
    periodic=st.floats(0, 1, width=32),
)


@given(st.lists(st.lists(boxes, max_size=4), max_size=6))
@settings(deadline=None)
def test_a_milder_preset_never_drops_what_a_stricter_one_keeps(seen):
    for presets in PRESETS.values():
        strict, balanced, lenient = (
            decide(images(*seen), presets[name]).bears_text
            for name in ("strict", "balanced", "lenient")
        )
        assert (strict >= balanced).all()
        assert (balanced >= lenient).all()


@given(st.lists(st.lists(boxes, max_size=4), min_size=1, max_size=6))
@settings(deadline=None)
def test_an_image_is_decided_by_its_own_boxes(seen):
    together = decide(images(*seen), RULE)
    alone = [decide(images(one), RULE) for one in seen]

    assert together.bears_text.tolist() == [one.bears_text[0] for one in alone]
    assert together.text.to_pylist() == [one.text[0].as_py() for one in alone]
    np.testing.assert_array_equal(together.score, [one.score[0] for one in alone])
    np.testing.assert_array_equal(together.threshold, [one.threshold[0] for one in alone])


@given(st.lists(boxes, min_size=1, max_size=4))
@settings(deadline=None)
def test_score_reaches_threshold_exactly_when_a_box_is_believed(seen):
    decisions = decide(images(seen), RULE)

    assert (decisions.score[0] >= decisions.threshold[0]) == decisions.bears_text[0]


@pytest.mark.parametrize(
    ("confidence", "support", "verdict"),
    [(0.5, None, True), (0.49, None, False), (1.0, 0.49, False), (0.4, 0.51, True)],
)
def test_what_all_readings_say_counts_where_there_are_several(confidence, support, verdict):
    seen = box("abcd", confidence, support=support)

    assert bears_text(seen, rule=replace(RULE, all_readings=True)) == verdict
    assert bears_text(seen) == (confidence >= 0.5)


@pytest.mark.parametrize(
    ("periodic", "confidence", "verdict"), [(0.8, 0.89, False), (0.8, 0.9, True), (0.7, 0.5, True)]
)
def test_text_over_pixels_that_repeat_must_be_read_more_surely(periodic, confidence, verdict):
    seen = box("abcdef", confidence, periodic=periodic)

    assert bears_text(seen, rule=replace(RULE, repeated=0.9)) == verdict
    assert bears_text(seen)


@pytest.mark.parametrize(
    ("text", "confidence", "verdict"),
    [("abcabd", 0.5, True), ("080080", 0.89, False), ("080080", 0.9, True), ("aa", 0.8, True)],
)
def test_few_signs_repeated_must_be_read_more_surely(text, confidence, verdict):
    assert bears_text(box(text, confidence), rule=replace(RULE, repeated=0.9)) == verdict


@pytest.mark.parametrize(
    ("confidence", "support", "verdict"),
    [(0.97, 0.89, False), (0.97, 0.9, True), (0.89, 0.95, False), (0.9, 0.95, True)],
)
def test_few_signs_repeated_must_be_read_surely_again(confidence, support, verdict):
    asked = replace(RULE, repeated=0.9, all_readings=True)

    assert bears_text(box("888888", confidence, support=support), rule=asked) is verdict


def test_of_drawn_words_something_else_may_be_asked():
    rule = replace(RULE, least_score=0.4, drawn=replace(RULE, least_score=0.3, cjk=0.99))

    assert bears_text(box(score=0.3, drawn=True), rule=rule)
    assert not bears_text(box(score=0.3), rule=rule)
    assert bears_text(box("漢字", 0.9), rule=rule)
    assert not bears_text(box("漢字", 0.9, drawn=True), rule=rule)


@pytest.mark.parametrize(
    ("text", "drawn", "support", "area", "verdict"),
    [
        ("word", True, 0.51, 0.05, True),
        ("word", True, 0.49, 0.05, False),
        ("word", False, 0.51, 0.05, False),
        ("letter", True, 0.46, 0.05, True),
        ("words", True, 0.46, 0.05, False),
        ("sea", True, 0.8, 0.05, False),
        ("letter", True, 0.46, 0.39, True),
        ("letter", True, 0.46, 0.41, False),
        ("letter", False, 0.65, 0.05, True),
        ("letter", False, 0.65, 0.21, False),
    ],
)
def test_balanced_asks_less_of_long_and_of_large_words_drawn_over_photos(
    text, drawn, support, area, verdict
):
    seen = box(text, 0.8, area, drawn=drawn, support=support)

    assert bears_text(seen, rule=PRESETS["rapidocr"]["balanced"]) is verdict


def test_a_threshold_is_asked_of_drawn_words_too():
    rule = rules(FilterTextConfig(threshold=0.6))["rapidocr"]

    assert bears_text(box("abc", 0.6, drawn=True), rule=rule)
    assert not bears_text(box("abc", 0.59, drawn=True), rule=rule)


def test_the_text_of_an_animation_covers_what_it_covers_in_one_frame():
    boxes = [box(area=0.1, frame=0), box(area=0.19, frame=3), box(area=0.16, frame=3)]
    decided = decide(images(boxes, [box(area=0.15), box(area=0.1)], []), RULE)
    assert decided.area.tolist() == pytest.approx([0.35, 0.25, 0])
