"""Confidence intervals of shares estimated from a sample."""

import math
from typing import NamedTuple

Z_95 = 1.959963984540054
"""The normal distribution's 97.5 % quantile."""


class Estimate(NamedTuple):
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share (Wilson 1927)."""
    share, z2 = successes / trials, Z_95**2
    center = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    spread = share * (1 - share) / trials + z2 / (4 * trials**2)
    half = Z_95 * math.sqrt(spread) / (1 + z2 / trials)
    return center - half, center + half


def share_estimate(successes: int, trials: int) -> Estimate:
    """Return a share with its Wilson interval, within 0 and 1; `trials` must exceed 0."""
    low, high = wilson_interval(successes, trials)
    # At 0 or 1 the limit is exact; rounding would miss it.
    return Estimate(
        successes / trials, low if successes else 0.0, high if successes < trials else 1.0
    )


def ratio_estimate(above: Estimate, below: Estimate) -> Estimate:
    """Return the ratio of two independent, non-negative estimates.

    Its limits follow from theirs (MOVER-R: Donner and Zou 2012, Stat Methods Med Res 21, 347;
    Newcombe 2016, ibid. 25, 1774), also if one of them is 0.

    Parameters
    ----------
    above, below : Estimate
        Estimates with 95 % intervals; `below` may be 0.

    Returns
    -------
    Estimate
        Infinite if the divisor is 0.
    """
    (a, a_low, a_high), (b, b_low, b_high) = above, below
    product = a * b
    # This form of the formula divides by no difference of nearly equal numbers.
    near, far = a_low * (2 * a - a_low), b_high * (2 * b - b_high)
    root = product + math.sqrt(max(0.0, product**2 - near * far))
    low = near / root if root else 0.0
    near, far = a_high * (2 * a - a_high), b_low * (2 * b - b_low)
    root = product + math.sqrt(max(0.0, product**2 - near * far))
    high = root / far if far else math.inf
    return Estimate(a / b if b else math.inf, low, high)
