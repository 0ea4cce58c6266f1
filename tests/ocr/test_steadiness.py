"""Words read the same when their box is moved a little; what is guessed over a pattern does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ocr.pictures import as_pixels, scene, with_words
from webemo_curate.ocr.rapidocr.rapidocr_detector import RapidDetector
from webemo_curate.ocr.steadiness import MOVES, moved, support, worth_reading_again

WORDS = st.text("abcd", max_size=8)


@pytest.mark.parametrize(
    ("first", "confidence", "again", "expected"),
    [
        ("Summer", 0.9, [("Summer", 0.8), ("SUMMER!", 0.7)], 0.8),
        ("Summer", 0.9, [("Summer", 0.9), ("Sumer", 0.6)], 2.3 / 3),
        ("ginoon", 0.6, [("ginoon", 0.6), ("", 0.0)], 0.4),
        ("abcd", 0.6, [("abxd", 0.4), ("xxxx", 1.0)], 0.3),
        ("...", 0.5, [("!", 0.5)], 0.5),
        ("word", 0.7, [], 0.7),
    ],
)
def test_further_readings_count_as_far_as_they_are_like_the_first(
    first, confidence, again, expected
):
    assert support(first, confidence, again) == pytest.approx(expected)


@given(WORDS, WORDS)
def test_likeness_is_mutual_and_whole_only_between_equals(one, other):
    likeness = support(one, 0.0, [(other, 1.0)])

    assert likeness == support(other, 0.0, [(one, 1.0)])
    assert 0 <= likeness <= 0.5
    assert (likeness == 0.5) == (one == other)


@given(st.floats(2, 200), st.floats(2, 200), st.floats(0, 6.3))
def test_a_moved_box_keeps_its_shape_and_the_moves_cancel_out(width, height, angle):
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    box = (np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ turn).astype(np.float32)

    places = moved(box)

    assert len(places) == MOVES
    for place in places:
        np.testing.assert_allclose(np.ptp(place - box, axis=0), 0, atol=1e-3)
        assert np.abs(place - box).max() < min(width, height) / 4
    np.testing.assert_allclose(sum(places) / MOVES, box, atol=1e-3)


def test_a_box_without_area_moves_nowhere():
    box = np.zeros((4, 2), np.float32)

    for place in moved(box):
        np.testing.assert_array_equal(place, box)


@pytest.mark.parametrize(
    ("text", "confidence", "expected"),
    [("ab", 0.4, True), ("ab", 0.39, False), ("a!", 1.0, False), ("", 0.0, False)],
)
def test_only_what_could_confirm_text_is_read_again(text, confidence, expected):
    assert worth_reading_again(text, confidence) == expected


def test_words_are_steady_whatever_is_looked_at_beside_them():
    images = as_pixels(
        [
            with_words("HELLO"),
            scene(),
            with_words("Good day", 20, seed=1),
            with_words("NO", 60),
        ]
    )
    detector = RapidDetector("cpu", 320, score_floor=0.3, batch_size=4)
    detector.setup()

    together = detector.detect(images)

    assert together == [detector.detect([image])[0] for image in images]
    assert together == detector.detect(images[::-1])[::-1]
    for index, word in ((0, "HELLO"), (2, "Good day"), (3, "NO")):
        (box,) = (box for box in together[index] if box.text == word)
        assert box.support > 0.9
