"""Margins of measured pairs: how far they are from dedup's limits, and which measure decides."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.measured import Method, Placing
from webemo_curate.duplicates.relation import (
    PLACED,
    SHARED_SCENE,
    WHOLE_CORRELATION,
    RelationLimits,
)

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

HALVING: Final = 0.1
"""Margin of a count or an area that is half or twice its limit: these have no natural scale."""

BITS: Final = 64
"""Of a hash: a distance's margin is its share of them."""

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
"""In the order of the columns that `pair_margins` compares."""

READ: Final = (
    "method",
    "placing",
    "distance",
    "clear",
    "correlation",
    "inliers",
    "placed",
    "agreeing",
    "changed",
)
"""Columns of the pairs manifest that margins are made of."""


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


class _Measured(NamedTuple):
    value: Floats
    limit: Floats
    margin: Floats


def pair_margins(pairs: pa.Table, config: DedupConfig) -> PairMargins:
    """Hold measured pairs against dedup's limits.

    Parameters
    ----------
    pairs : pa.Table
        Columns `READ` of the pairs manifest.
    config : DedupConfig
        The limits.

    Returns
    -------
    PairMargins
        An entry a row. Correlations and shares count as they are, distances as shares of the 64
        bits, counts and changed areas by `HALVING`.
    """
    measured = _measures(pairs, RelationLimits.of(config), config.distance)
    margins = np.stack([each.margin for each in measured])
    measure = margins.argmin(axis=0)
    rows = np.arange(pairs.num_rows)
    values, limits = (np.stack([each[part] for each in measured]) for part in (0, 1))
    return PairMargins(
        margins[measure, rows], measure, values[measure, rows], limits[measure, rows]
    )


def _measures(pairs: pa.Table, limits: RelationLimits, distance: int) -> list[_Measured]:
    placing = np.asarray(pairs["placing"].cast(pa.string()).to_pandas(), object)
    hashed = np.asarray(pairs["method"].cast(pa.string()).to_pandas(), object) == Method.PHASH
    reduced, whole = placing == Placing.REDUCED, placing == Placing.WHOLE
    least = np.where(whole, max(limits.correlation, WHOLE_CORRELATION), limits.correlation)
    bits = _floats(pairs, "distance", 0)
    clear = np.asarray(pairs["clear"], bool)
    return [
        _above(_floats(pairs, "correlation", 1), least, ~reduced),
        _many(_floats(pairs, "inliers", 0), limits.inliers, ~reduced & ~whole),
        _above(_floats(pairs, "placed", 1), PLACED, ~reduced),
        _above(_floats(pairs, "agreeing", 1), SHARED_SCENE, ~reduced),
        _few(_floats(pairs, "changed", 0), limits.changed, ~reduced),
        _held(bits, distance, (distance + 0.5 - bits) / BITS, hashed),
        _held(clear, 1, np.where(clear, SURE, -SURE), reduced),
    ]


def _floats(pairs: pa.Table, name: str, missing: float) -> Floats:
    filled = pc.fill_null(pairs[name].cast(pa.float32()), missing)
    return np.asarray(filled, np.float32)


def _above(value: Floats, limit: object, counts: Mask) -> _Measured:
    """Return the margin of a value that must reach a limit."""
    least = np.asarray(limit, np.float32)
    return _held(value, least, value - least, counts)


def _many(value: Floats, limit: float, counts: Mask) -> _Measured:
    """Return the margin of a count that must reach a limit."""
    with np.errstate(divide="ignore"):
        return _held(value, limit, np.log2(value / limit) * HALVING, counts)


def _few(value: Floats, limit: float, counts: Mask) -> _Measured:
    """Return the margin of an area that may not pass a limit."""
    most = np.float32(limit)
    with np.errstate(divide="ignore", invalid="ignore"):
        margin = np.where(value == most, 0, np.log2(most / value) * HALVING)
    return _held(value, most, margin, counts)


def _held(value: object, limit: object, margin: npt.ArrayLike, counts: Mask) -> _Measured:
    """Spread a limit over the rows; where a measure does not count it decides nothing."""
    spread = np.broadcast_to(np.asarray(limit, np.float32), counts.shape)
    decided = np.where(counts, margin, np.inf).astype(np.float32)
    return _Measured(np.asarray(value, np.float32), spread, decided)
