"""What is read into a pattern repeats a sign or two; words do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webemo_curate.ocr.repetition import different_signs, repeats_few_signs


@pytest.mark.parametrize(
    "text",
    ["0000086", "lllll", "00000000886", "3-3-3-8-3", "0Q0O0QO", "AAAA", "ORO-OROCRORCROC", "000"],
)
def test_patterns_repeat_few_signs(text):
    assert repeats_few_signs(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "I",
        "NO",
        "oo",
        "look",
        "boss",
        "little",
        "coffee",
        "Mississippi",
        "2015",
        "depositphotos",
    ],
)
def test_words_do_not(text):
    assert not repeats_few_signs(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("", 0), ("aaaa", 1), ("aA", 1), ("0Oq", 1), ("abab", 2), ("a-b.c d", 4)]
)
def test_equally_frequent_signs_are_counted(text, expected):
    assert different_signs(text) == pytest.approx(expected)


@given(st.text(max_size=30), st.integers(1, 4))
def test_neither_order_nor_repetition_of_the_whole_matters(text, times):
    expected = pytest.approx(different_signs(text))

    assert different_signs(text * times) == expected
    assert different_signs("".join(sorted(text))) == expected
