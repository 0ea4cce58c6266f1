"""Format figures and tables as Markdown."""

from collections.abc import Sequence

import pandas as pd

from webemo_curate.evaluation.significance import LEVEL, MeasuredDifference

PERCENT = 100
NOTHING = "-"
"""Shown where there is no figure."""


def table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    rows = [header, ["---"] * len(header), *lines]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in rows)


def spread(values: "pd.Series[float]", digits: int) -> str:
    """Return mean and sample standard deviation over seeds; a single value as it is."""
    known = values.dropna()
    if known.empty:
        return NOTHING
    if len(known) == 1:
        return f"{known.iloc[0]:.{digits}f}"
    return f"{known.mean():.{digits}f} ± {known.std():.{digits}f}"


def percent(values: "pd.Series[float]") -> str:
    """Return shares as percentages, mean and standard deviation."""
    return spread(values * PERCENT, 2)


def points(difference: MeasuredDifference) -> tuple[str, str]:
    """Return a difference of shares and its interval, in percentage points."""
    low, high = difference.low * PERCENT, difference.high * PERCENT
    return f"{difference.value * PERCENT:+.2f}", f"{low:+.2f} to {high:+.2f}"


def detectable(difference: MeasuredDifference) -> str:
    """Return the smallest difference of shares that such a comparison detects, in points."""
    return f"{difference.detectable * PERCENT:.2f}"


def p_value(p: float | None) -> str:
    """Return a p-value; one that rounds to zero as an upper bound."""
    if p is None:
        return NOTHING
    least = 0.001
    return f"{p:.3f}" if p >= least else f"< {least}"


def verdict(p: float | None) -> str:
    """Say whether a difference is significant, if this can be decided."""
    if p is None:
        return "no verdict"
    return "significant" if p < LEVEL else "not significant"
