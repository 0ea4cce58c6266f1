"""Paired tests against their definitions, written out in another way."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from webemo_curate.evaluation.significance import delong, holm, mcnemar, paired_bootstrap


def two_scores(images=120, seed=0):
    random = np.random.default_rng(seed)
    target = random.integers(0, 2, images)
    first = np.round(target + random.normal(0, 1.5, images), 1)  # rounded: ties
    return target, first, np.round(first + random.normal(0, 0.7, images), 1)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_mcnemar_is_the_binomial_tail(answers):
    first, second = (
        (np.array(side, bool) for side in zip(*answers, strict=True))
        if answers
        else (
            np.zeros(0, bool),
            np.zeros(0, bool),
        )
    )
    gained, lost = int((second & ~first).sum()), int((first & ~second).sum())
    n, fewer = gained + lost, min(gained, lost)
    tail = 2 * sum(comb(n, k) for k in range(fewer + 1)) / 2**n
    assert mcnemar(first, second) == pytest.approx(min(1.0, tail))


@pytest.mark.parametrize("seed", range(4))
def test_delong_equals_its_definition_over_all_pairs(seed):
    target, first, second = two_scores(seed=seed)
    kernels = []
    for scores in (first, second):
        gap = scores[target == 1][:, None] - scores[target == 0][None]
        kernels.append((gap > 0) + 0.5 * (gap == 0))
    gain = kernels[1] - kernels[0]
    variance = gain.mean(axis=1).var(ddof=1) / len(gain) + gain.mean(axis=0).var(ddof=1) / len(
        gain[0]
    )
    found = delong(target, first, second)
    areas = [roc_auc_score(target, scores) for scores in (first, second)]
    assert found.value == pytest.approx(areas[1] - areas[0])
    assert (found.high - found.low) / 2 == pytest.approx(1.959964 * variance**0.5, rel=1e-5)
    assert delong(target, second, first).p == pytest.approx(found.p)


def test_delong_of_equal_scores_finds_nothing():
    target, first, _ = two_scores()
    assert delong(target, first, first).p == 1


def test_bootstrap_interval_holds_the_difference_and_shrinks_with_images():
    random = np.random.default_rng(0)
    widths = []
    for images in (100, 1600):
        first = random.random((5, images)) < 0.8
        second = first | (random.random((5, images)) < 0.1)
        found = paired_bootstrap(first, second)
        assert found.low < found.value < found.high
        assert found.value == pytest.approx(second.mean() - first.mean())
        widths.append(found.high - found.low)
        assert paired_bootstrap(first, second) == found
    assert widths[1] < widths[0] / 2


def test_bootstrap_tells_a_real_gain_from_none():
    random = np.random.default_rng(1)
    first = random.random((5, 1000)) < 0.8
    better = first | (random.random((5, 1000)) < 0.2)
    same = random.permuted(first, axis=1)
    assert paired_bootstrap(first, better).p < 0.001
    assert paired_bootstrap(first, same).p > 0.05


@settings(max_examples=60)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_lies_between_none_and_bonferroni(p_values):
    adjusted = holm(p_values)
    for raw, corrected in zip(p_values, adjusted, strict=True):
        assert raw <= corrected <= min(1.0, raw * len(p_values)) or corrected == max(
            c for r, c in zip(p_values, adjusted, strict=True) if r <= raw
        )
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(np.array(adjusted)[order]) >= 0)


def test_holm_on_a_worked_example():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
