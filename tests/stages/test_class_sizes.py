"""Balancing: every class has its share to within one image, whatever their number."""

import math
import shlex
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.stages.corpus import corpus, curate
from webemo_curate.config import BinarizeConfig, UndersampleConfig
from webemo_curate.errors import InputError
from webemo_curate.stages.class_sizes import apportion, check_kept, class_sizes, wanted_shares
from webemo_curate.workspace import Workspace

COUNTS = st.lists(st.integers(1, 5000), min_size=2, max_size=30).map(
    lambda counts: {f"c{number}": count for number, count in enumerate(counts)}
)


def binary_sizes(positives: int, others: int, fraction: float, size: int | None) -> tuple[int, int]:
    """Return what was kept of two classes before there could be more."""
    largest = min(math.floor(positives / fraction), math.floor(others / (1 - fraction)))
    total = largest if size is None else size
    wanted = round(total * fraction)
    return wanted, total - wanted


@given(COUNTS, st.data())
def test_every_class_has_its_share_and_no_more_than_there_is(
    counts: dict[str, int], data: st.DataObject
) -> None:
    parts = {name: data.draw(st.integers(1, 50)) for name in counts}
    config = UndersampleConfig(shares=tuple(f"{name}={part}" for name, part in parts.items()))
    shares = wanted_shares(config, counts, binary=False)
    sizes = class_sizes(counts, shares, None)
    total = sum(sizes.values())
    assert shares == {name: Fraction(part, sum(parts.values())) for name, part in parts.items()}
    for name, size in sizes.items():
        assert 0 <= size <= counts[name]
        assert abs(size - total * shares[name]) < 1
    # One image more of all, and a class would be short.
    assert any((total + 1) * share > counts[name] for name, share in shares.items())


@given(COUNTS)
def test_without_shares_all_classes_are_as_large_as_the_smallest(counts: dict[str, int]) -> None:
    shares = wanted_shares(UndersampleConfig(), counts, binary=False)
    sizes = set(class_sizes(counts, shares, None).values())
    assert max(sizes) == min(counts.values())
    assert max(sizes) - min(sizes) <= 1


@given(COUNTS)
def test_shares_as_listed_keep_every_image(counts: dict[str, int]) -> None:
    shares = wanted_shares(UndersampleConfig(shares=("listed",)), counts, binary=False)
    assert class_sizes(counts, shares, None) == counts


@given(
    st.integers(1, 5000),
    st.integers(1, 5000),
    st.floats(0.05, 0.95) | st.sampled_from([0.1, 0.25, 0.46, 0.5, 0.75]),
    st.none() | st.integers(2, 10_000),
)
def test_two_classes_are_kept_as_they_were_when_there_were_no_more(
    positives: int, others: int, fraction: float, size: int | None
) -> None:
    counts = {"others": others, "sadness": positives}
    shares = wanted_shares(UndersampleConfig(positive_fraction=fraction), counts, binary=True)
    ours, theirs = binary_sizes(positives, others, fraction, size)
    if ours > positives or theirs > others:
        with pytest.raises(InputError, match="largest possible --size"):
            class_sizes(counts, shares, size)
    else:
        assert class_sizes(counts, shares, size) == {"others": theirs, "sadness": ours}


@given(st.integers(0, 10**6), st.lists(st.integers(1, 1000), min_size=2, max_size=20))
def test_a_number_is_divided_whole(size: int, weights: list[int]) -> None:
    shares = {str(n): Fraction(weight, sum(weights)) for n, weight in enumerate(weights)}
    parts = apportion(size, shares)
    assert sum(parts.values()) == size
    assert all(abs(part - size * shares[name]) < 1 for name, part in parts.items())


def test_impossible_size_says_what_is_possible() -> None:
    with pytest.raises(InputError, match="largest possible --size is 217"):
        class_sizes({"others": 900, "sadness": 100}, {"others": 0.54, "sadness": 0.46}, 1000)


@pytest.mark.parametrize(
    ("given_shares", "said"),
    [("joy=1", "'anger' is not given"), ("joy=1,anger=1,fear=2", "'fear' names no class")],
)
def test_shares_of_other_classes_are_refused_with_their_form(given_shares: str, said: str) -> None:
    counts = {"anger": 10, "joy": 10}
    config = UndersampleConfig.model_validate({"shares": given_shares})
    with pytest.raises(InputError, match=f"{said}.*--shares anger=1,joy=1"):
        wanted_shares(config, counts, binary=False)


@pytest.mark.parametrize(
    "text", ["joy", "joy=0", "joy=-1", "joy=x", "joy=nan", "joy=inf", "=1", "joy=1,joy=2"]
)
def test_a_part_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        UndersampleConfig.model_validate({"shares": text})


def test_a_class_without_images_is_named_with_the_remedy() -> None:
    counts = {"anger": 0, "joy": 5, "pride": 0}
    with pytest.raises(InputError, match="'curate binarize --exclude anger,pride'"):
        check_kept(counts, dict.fromkeys(counts, 0), binary=False)


AWKWARD = ('it\'s "fine", ok', "$HOME", "süß 😀")
"""Names that a shell or a list with commas would read as others."""


def pasted(message: str, option: str) -> str:
    """Return what a shell makes of an option's value that ends a message."""
    return shlex.split(message[message.index(f"{option} ") :])[1]


def test_remedies_with_awkward_names_mean_them_when_pasted() -> None:
    counts = dict.fromkeys(AWKWARD, 0)
    with pytest.raises(InputError) as lacking:
        check_kept(counts, counts, binary=False)
    leaving = BinarizeConfig.model_validate(
        {"exclude": pasted(str(lacking.value)[:-1], "--exclude")}
    )
    assert leaving.exclude == AWKWARD
    one = UndersampleConfig(shares=("joy=1",))
    with pytest.raises(InputError) as wrong:
        wanted_shares(one, counts, binary=False)
    given_then = UndersampleConfig.model_validate({"shares": pasted(str(wrong.value), "--shares")})
    assert list(wanted_shares(given_then, counts, binary=False)) == [*AWKWARD]


def test_a_class_that_is_empty_is_said_before_the_size(tmp_path: Path) -> None:
    labels = ["zest"] * 4
    with pytest.raises(InputError, match="0 positive and 4 other images are left"):
        curate(corpus(labels), Workspace(tmp_path), UndersampleConfig(size=2))
