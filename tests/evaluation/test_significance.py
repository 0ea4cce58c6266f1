"""Paired tests against their definitions, written out in another way."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from benchmarks.verdict_levels import draw
from webemo_curate.evaluation.significance import compare_runs, delong, holm, mcnemar


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


@pytest.mark.parametrize(
    ("positives", "scores"), [(1, [0.2] * 8), (7, [0.2] * 8), (0, [0.2] * 8), (4, [np.nan] * 8)]
)
def test_delong_is_undefined_with_one_image_of_a_class_or_scores_that_are_no_numbers(
    positives, scores
):
    target = np.array([1] * positives + [0] * (8 - positives))
    assert delong(target, np.linspace(0, 1, 8), np.array(scores)) is None


def test_delong_of_curves_that_differ_without_spread_is_undefined_and_never_certain():
    target = np.array([0, 0, 1, 1])
    assert delong(target, np.array([0.1, 0.2, 0.8, 0.9]), np.array([0.9, 0.8, 0.2, 0.1])) is None


def test_interval_of_runs_holds_the_difference_and_shrinks_with_images():
    random = np.random.default_rng(0)
    widths = []
    for images in (100, 1600):
        first = random.random((5, images)) < 0.8
        second = first | (random.random((5, images)) < 0.1)
        found = compare_runs(first, second)
        assert found.low < found.value < found.high
        assert found.value == pytest.approx(second.mean() - first.mean())
        widths.append(found.high - found.low)
        assert compare_runs(second, first).p == pytest.approx(found.p)
    assert widths[1] < widths[0] / 2


def test_a_real_gain_is_told_from_none():
    random = np.random.default_rng(1)
    first = random.random((5, 1000)) < 0.8
    better = first | (random.random((5, 1000)) < 0.2)
    same = random.permuted(first, axis=1)
    assert compare_runs(first, better).p < 0.001
    assert compare_runs(first, same).p > 0.05


@pytest.mark.parametrize("runs", [1, 2, 3])
def test_fewer_than_three_runs_give_an_interval_and_no_verdict(runs):
    random = np.random.default_rng(2)
    first = random.random((runs, 200)) < 0.5
    found = compare_runs(first, np.ones_like(first))
    assert 0 < found.low < found.high
    assert (found.p is None) == (runs < 3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (3, 1), (2, 40)])
def test_equal_answers_on_a_small_set_do_not_show_that_networks_are_equal(shape):
    right = np.ones(shape, bool)
    found = compare_runs(right, right)
    assert found.low < 0 < found.high
    assert found.detectable > 0
    assert found.p in (None, 1.0)


@pytest.mark.parametrize(("deviation", "runs"), [(0.0, 3), (0.03, 3), (0.03, 5)])
def test_equal_networks_are_rarely_called_different(deviation, runs):
    random = np.random.default_rng(3)
    pairs = (draw(runs, 200, deviation, 0.0, random) for _ in range(300))
    share = np.mean([compare_runs(*pair).p < 0.05 for pair in pairs])
    assert share < 0.1  # the level is .05; 300 repetitions are off by up to .03


def test_the_detectable_difference_is_found_in_four_of_five_trials():
    random = np.random.default_rng(4)
    pairs = [draw(5, 200, 0.01, 0.0, random) for _ in range(100)]
    gain = np.mean([compare_runs(*pair).detectable for pair in pairs])
    better = (draw(5, 200, 0.01, gain, random) for _ in range(300))
    assert 0.7 < np.mean([compare_runs(*pair).low > 0 for pair in better]) < 0.9


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


def test_holm_leaves_out_what_has_no_verdict():
    assert holm([0.01, None, 0.04]) == [0.02, None, 0.04]
