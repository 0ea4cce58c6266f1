"""Doubts from answers alone: flipped labels rank first, groups stay whole, evidence counts."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webemo_curate.errors import InputError
from webemo_curate.label_issues.confident_learning import doubt
from webemo_curate.label_issues.fold_division import check_folds, divide_folds

CLASSES = 3


def answers(rng: np.random.Generator, truth: Any, sure: float) -> Any:
    """Draw answers of a network that is mostly right."""
    logits = rng.normal(0, 1, (len(truth), CLASSES))
    logits[np.arange(len(truth)), truth] += sure
    raised = np.exp(logits)
    return raised / raised.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3])
def test_flipped_labels_are_found_and_counted(share: float) -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, CLASSES, 1_500)
    flipped = rng.random(len(truth)) < share
    labels = np.where(flipped, (truth + 1) % CLASSES, truth)
    found = doubt(labels, answers(rng, truth, 4), np.ones(len(labels)))
    worst = np.argsort(found.score)[: flipped.sum()]
    assert flipped[worst].mean() > 0.85
    assert found.joint.sum() == pytest.approx(1)
    assert 1 - np.trace(found.joint) == pytest.approx(share, abs=0.05)
    assert (found.suggested != labels).all()
    assert (found.suggested == truth)[flipped & found.issue].mean() > 0.9


def test_lines_that_disagree_lower_the_trust_and_settle_a_doubt() -> None:
    rng = np.random.default_rng(4)
    labels = rng.integers(0, CLASSES, 300)
    said = answers(rng, labels, 4)
    said[0] = np.roll(said[0], 1)  # it answers otherwise, if not surely
    said[0] = 0.9 / CLASSES + 0.1 * said[0]
    alike = doubt(labels, said, np.ones(300))
    agreement = np.ones(300)
    agreement[:2] = 0.5
    disputed = doubt(labels, said, agreement)
    assert disputed.score[:2] == pytest.approx(alike.score[:2] / 2)
    assert disputed.issue[0]
    assert not disputed.issue[1]
    assert (disputed.issue[2:] == alike.issue[2:]).all()


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), min_size=1, max_size=200),
    st.integers(2, 8),
)
def test_folds_part_no_group_and_are_as_even_as_groups_allow(
    images: list[tuple[int, int]], folds: int
) -> None:
    groups = [f"g{group}" for group, _ in images]
    targets = np.array([target for _, target in images])
    fold = divide_folds(groups, targets, folds, 0)
    homes: dict[str, set[int]] = {}
    for group, home in zip(groups, fold.tolist(), strict=True):
        homes.setdefault(group, set()).add(home)
    assert all(len(home) == 1 for home in homes.values())
    largest = max(groups.count(group) for group in homes)
    sizes = np.bincount(fold, minlength=folds)
    assert np.abs(sizes - len(images) / folds).max() <= largest
    assert (divide_folds(groups, targets, folds, 0) == fold).all()


def test_a_class_that_some_network_would_not_see_is_named() -> None:
    targets = np.array([0, 0, 0, 0, 1, 1, 1])
    with pytest.raises(InputError, match=r"of 3 images of 'rare' a network would see 1"):
        check_folds(np.array([0, 1, 0, 1, 1, 1, 0]), targets, ("common", "rare"))
    check_folds(np.array([0, 1, 0, 1, 0, 1, 2]), targets, ("common", "rare"))


def test_without_cleanlab_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webemo_curate.optional_packages.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"pip install"):
        doubt(np.array([0, 1]), np.eye(2), np.ones(2))
