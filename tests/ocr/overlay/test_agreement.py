"""Agreement is a matter of place: boxes that lie elsewhere say nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webemo_curate.ocr.detector import TextBox
from webemo_curate.ocr.overlay.agreement import mark_agreement


def box(left, top, width, height, score=0.8):
    right, bottom = left + width, top + height
    polygon = (left, top, right, top, right, bottom, left, bottom)
    return TextBox(tuple(map(float, polygon)), score, "", 0.0, 0.1)


def agreed(one, *others):
    (marked,) = mark_agreement([one], others)
    return marked.agreed


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (box(10, 10, 40, 10, 0.7), 0.7),
        (box(10, 10, 21, 10, 0.7), 0.7),  # little more than half of it
        (box(10, 10, 19, 10, 0.7), 0.0),
        (box(10, 10, 79, 10, 0.7), 0.7),  # nearly twice as long
        (box(10, 10, 81, 10, 0.7), 0.55),  # the line that it is a word of
        (box(0, 9, 90, 14, 0.7), 0.55),
        (box(0, 9, 90, 21, 0.7), 0.0),  # more than twice as high
        (box(42, 10, 90, 10, 0.7), 0.0),  # only its end
        (box(60, 10, 40, 10, 0.7), 0.0),
        (box(10, 20, 40, 10, 0.7), 0.0),  # it touches
        (box(10, 10, 0, 0, 0.7), 0.0),
    ],
)
def test_a_box_agrees_with_one_in_its_place(other, expected):
    assert agreed(box(10, 10, 40, 10), other) == pytest.approx(expected)


def test_squares_are_no_words_of_a_line():
    assert agreed(box(10, 10, 15, 10), box(0, 10, 90, 10)) == 0.0
    assert agreed(box(10, 10, 90, 10), box(40, 10, 15, 10)) == 0.0
    assert agreed(box(10, 10, 40, 10), box(10, 10, 81, 10, 0.1)) == 0.0


def test_the_most_certain_of_several_counts_and_none_is_zero():
    one = box(0, 0, 40, 10)

    assert agreed(one, box(0, 0, 40, 11, 0.5), box(0, 0, 41, 10, 0.9), box(90, 0, 9, 9, 1.0)) == 0.9
    assert agreed(one) == 0.0


RECTANGLES = st.tuples(*[st.integers(0, 50)] * 2, *[st.integers(1, 50)] * 2)


@given(RECTANGLES, RECTANGLES)
def test_agreement_is_mutual_and_a_box_agrees_with_itself(one, other):
    first, second = box(*one), box(*other)

    assert (agreed(first, second) > 0) == (agreed(second, first) > 0)
    assert agreed(first, first) == first.score
