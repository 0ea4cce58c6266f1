"""The paired tests are statsmodels' and DeLong's own definition."""

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from webemo_curate.evaluation.significance import delong, holm, mcnemar

IMAGES = 90


@pytest.mark.parametrize("seed", range(5))
def test_mcnemar_is_statsmodels_exact_test(seed):
    random = np.random.default_rng(seed)
    first, second = random.random(IMAGES) < 0.7, random.random(IMAGES) < 0.8
    table = [
        [(first & second).sum(), (first & ~second).sum()],
        [(~first & second).sum(), (~first & ~second).sum()],
    ]
    theirs = statsmodels_mcnemar(table, exact=True).pvalue
    assert mcnemar(first, second) == pytest.approx(theirs, abs=1e-12)  # measured: 1e-15


@pytest.mark.parametrize("count", [1, 2, 5, 20])
def test_holm_is_statsmodels(count):
    p_values = np.random.default_rng(count).random(count) ** 3
    theirs = multipletests(p_values, method="holm")[1]
    assert holm(p_values.tolist()) == pytest.approx(theirs.tolist(), abs=1e-12)  # measured: 0


@pytest.mark.parametrize("seed", range(3))
def test_delong_is_the_sum_over_all_pairs(seed):
    """Equations 3 to 6 of DeLong et al. (1988), pair by pair in plain Python."""
    random = np.random.default_rng(seed)
    target = random.integers(0, 2, IMAGES)
    scores = [np.round(target + random.normal(0, 1.5, IMAGES), 1) for _ in range(2)]
    value, variance = _delong(target.tolist(), *(own.tolist() for own in scores))
    found = delong(target, *scores)
    assert found is not None
    assert found.value == pytest.approx(value, abs=1e-12)  # measured: 1e-16
    deviation = (found.high - found.low) / 2 / 1.959963984540054
    assert deviation**2 == pytest.approx(variance, rel=1e-9)  # measured: 1e-13


def _delong(target, first, second):
    """Return the difference of the areas and its variance."""
    positives = [i for i, t in enumerate(target) if t]
    others = [i for i, t in enumerate(target) if not t]

    def gain(i, j):
        return _kernel(second[i], second[j]) - _kernel(first[i], first[j])

    of_positive = [sum(gain(i, j) for j in others) / len(others) for i in positives]
    of_other = [sum(gain(i, j) for i in positives) / len(positives) for j in others]
    value = sum(of_positive) / len(positives)
    variance = sum(
        sum((x - value) ** 2 for x in parts) / (len(parts) - 1) / len(parts)
        for parts in (of_positive, of_other)
    )
    return value, variance


def _kernel(positive, other):
    return 1.0 if positive > other else 0.5 if positive == other else 0.0
