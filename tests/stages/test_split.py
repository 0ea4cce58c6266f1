"""Dividing: whole groups, near the ratios, whatever the sizes."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webemo_curate.errors import InputError
from webemo_curate.stages.split import divide
from webemo_curate.stages.undersample import class_sizes

RATIOS = (80.0, 10.0, 10.0)


@given(st.lists(st.integers(1, 9), max_size=200))
def test_parts_are_within_the_largest_group_of_their_shares(sizes: list[int]) -> None:
    places = divide(sizes, RATIOS)
    for part, ratio in enumerate(RATIOS):
        got = sum(size for size, place in zip(sizes, places, strict=True) if place == part)
        assert abs(got - sum(sizes) * ratio / 100) <= max(sizes, default=0)


@given(st.integers(1, 500), st.integers(0, 400))
def test_every_stretch_is_divided_by_the_ratios(before: int, stretch: int) -> None:
    places = Counter(divide([1] * (before + stretch), RATIOS)[before:])
    for part, ratio in enumerate(RATIOS):
        assert abs(places[part] - stretch * ratio / 100) <= 2


@given(st.integers(1, 5000), st.integers(1, 5000), st.floats(0.05, 0.95))
def test_fraction_is_right_to_within_one_image(
    positives: int, others: int, fraction: float
) -> None:
    ours, theirs = class_sizes(positives, others, fraction, None)
    assert 0 <= ours <= positives
    assert 0 <= theirs <= others
    assert abs(ours - (ours + theirs) * fraction) <= 1


def test_impossible_size_says_what_is_possible() -> None:
    with pytest.raises(InputError, match="largest possible --size is 217"):
        class_sizes(100, 900, 0.46, 1000)
