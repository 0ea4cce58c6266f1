"""The margin of measured pairs: how far each is from dedup's limits, and which measure decides."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.hash_keys import HASH_BITS
from webemo_curate.duplicates.measured import NO_BITS, PLACINGS, MeasuredPairs, Placing
from webemo_curate.duplicates.placings import Floats, Mask
from webemo_curate.duplicates.relation import PLACED, SHARED_SCENE, WHOLE_CORRELATION

Values = npt.NDArray[Any]

HALVING: Final = 0.1
"""Margin of a count or an area that is half or twice its limit: these have no natural scale."""

SURE: Final = 1.0
"""Margin of what no limit of dedup's decides: reduced pictures clear by themselves, or not."""

MEASURES: Final = (
    "correlation",
    "keypoints that agree",
    "share of keypoints that agree",
    "share of the scene that agrees",
    "largest changed part",
    "distance of hashes",
    "reduced pictures",
)
"""In the order of the measures that `pair_margins` compares."""


class PairMargins(NamedTuple):
    """What decides each measured row, and by how much; arrays of one length.

    Attributes
    ----------
    margin
        float32, of the measure that is nearest to failing, or fails most; 0 or more if the rule
        takes both for the same picture.
    measure
        int64 index into `MEASURES`.
    score, threshold
        float32, what it is and what it is held against.
    """

    margin: Floats
    measure: npt.NDArray[np.int64]
    score: Floats
    threshold: Floats


class _Measure(NamedTuple):
    value: Floats
    limit: Floats
    margin: Floats


def pair_margins(measured: MeasuredPairs, config: DedupConfig) -> PairMargins:
    """Hold measured pairs against dedup's limits.

    Parameters
    ----------
    measured : MeasuredPairs
        The rows, a placing each.
    config : DedupConfig
        The limits.

    Returns
    -------
    PairMargins
        An entry a row. Correlations and shares count as they are, distances as shares of the 64
        bits, counts and changed areas by `HALVING`. The sign is the answer of
        `relation.RelationLimits`, with the hashes' limit.
    """
    held = _measures(measured, config)
    margins = np.stack([each.margin for each in held])
    measure = margins.argmin(axis=0)
    rows = np.arange(margins.shape[1])
    values, limits = (np.stack([each[part] for each in held]) for part in (0, 1))
    return PairMargins(
        margins[measure, rows], measure, values[measure, rows], limits[measure, rows]
    )


def _measures(measured: MeasuredPairs, config: DedupConfig) -> list[_Measure]:
    """Return each measure of all rows, in the order of `MEASURES`."""
    showed, bits, clear = measured.showed, measured.distance, measured.clear
    whole = measured.placing == PLACINGS.index(Placing.WHOLE)
    reduced = measured.placing == PLACINGS.index(Placing.REDUCED)
    correlation = config.min_correlation
    least = np.where(whole, max(correlation, WHOLE_CORRELATION), correlation)
    return [
        _above(showed.correlation, least, ~reduced),
        _many(showed.inliers, config.min_inliers, ~reduced & ~whole),
        _above(showed.placed, PLACED, ~reduced),
        _above(showed.agreeing, SHARED_SCENE, ~reduced),
        _few(showed.changed, config.max_changed, ~reduced),
        _held(bits, config.distance, (config.distance + 0.5 - bits) / HASH_BITS, bits != NO_BITS),
        _held(clear, 1, np.where(clear, SURE, -SURE), reduced),
    ]


def _above(value: Floats, limit: npt.ArrayLike, counts: Mask) -> _Measure:
    """Return the margin of a value that must reach a limit."""
    least = np.asarray(limit, np.float32)
    return _held(value, least, value - least, counts)


def _many(value: Values, limit: int, counts: Mask) -> _Measure:
    """Return the margin of a count that must reach a limit."""
    with np.errstate(divide="ignore"):
        return _held(value, limit, np.log2(value / limit) * HALVING, counts)


def _few(value: Floats, limit: float, counts: Mask) -> _Measure:
    """Return the margin of an area that may not pass a limit."""
    most = np.float32(limit)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        margin = np.where(value == most, 0, np.log2(most / value) * HALVING)
    return _held(value, most, margin, counts)


def _held(value: Values, limit: npt.ArrayLike, margin: npt.ArrayLike, counts: Mask) -> _Measure:
    """Spread a limit over the rows; where a measure does not count it decides nothing."""
    spread = np.broadcast_to(np.asarray(limit, np.float32), counts.shape)
    decided = np.where(counts, margin, np.inf).astype(np.float32)
    return _Measure(np.asarray(value, np.float32), spread, decided)
