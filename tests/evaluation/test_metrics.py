"""Metrics against values worked out by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webemo_curate.evaluation.metrics import best_threshold, measure
from webemo_curate.intervals import wilson_interval

TARGET = np.array([1, 1, 0, 0, 0])
PROBABILITY = np.array([0.9, 0.4, 0.6, 0.2, 0.1])


def test_figures_of_a_small_case() -> None:
    metrics = measure(TARGET, PROBABILITY)
    assert metrics.accuracy == pytest.approx(3 / 5)
    assert metrics.majority == pytest.approx(3 / 5)
    assert metrics.auc == pytest.approx(5 / 6)
    assert metrics.brier == pytest.approx((0.01 + 0.36 + 0.36 + 0.04 + 0.01) / 5)
    assert metrics.per_class["sadness"].precision == pytest.approx(1 / 2)
    assert metrics.per_class["others"].recall == pytest.approx(2 / 3)


def test_calibration_error_is_the_weighted_gap_of_each_bin() -> None:
    generator = np.random.default_rng(3)
    target, probability = generator.integers(0, 2, 200), generator.random(200)
    confidence = np.maximum(probability, 1 - probability)
    right = (probability >= 0.5) == target
    expected = 0.0
    for low, high in itertools.pairwise(np.linspace(0, 1, 16)):
        inside = (confidence >= low) & (confidence < high)
        if inside.any():
            gap = abs(right[inside].mean() - confidence[inside].mean())
            expected += inside.mean() * gap
    assert measure(target, probability).ece == pytest.approx(expected)


def test_wilson_interval_of_the_literature() -> None:
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)


def test_auc_is_missing_with_one_class() -> None:
    assert measure(np.ones(3, int), np.array([0.1, 0.5, 0.9])).auc is None


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=30))
def test_best_threshold_is_best(rows: list[tuple[int, float]]) -> None:
    target, probability = (np.array(values) for values in zip(*rows, strict=True))
    chosen = measure(target, probability, best_threshold(target, probability)).accuracy
    candidates = [*probability.tolist(), 0.5, 2.0]  # from all positive to all others
    assert chosen == max(measure(target, probability, c).accuracy for c in candidates)
