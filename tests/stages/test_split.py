"""Dividing: whole groups, near the ratios, whatever the sizes."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from webemo_curate.stages.split import dealt, divide

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


@given(
    st.lists(st.integers(1, 9), max_size=200),
    st.lists(st.sampled_from([0.0, 0.1, 10.0, 12.5, 80.0]), min_size=3, max_size=3).filter(any),
    st.lists(st.integers(0, 50), min_size=3, max_size=3),
)
def test_three_parts_are_dealt_as_any_number_is(
    sizes: list[int], ratios: list[float], taken: list[int]
) -> None:
    assert [*dealt(sizes, ratios, taken)] == divide(sizes, ratios, taken)
