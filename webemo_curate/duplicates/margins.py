"""The margin of measured pairs: how far the deciding measure is from its limit."""

from typing import Any

import numpy as np
import numpy.typing as npt

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.measured import NO_BITS, PLACINGS, MeasuredPairs, Placing
from webemo_curate.duplicates.relation import (
    PLACED,
    SHARED_SCENE,
    WHOLE_CORRELATION,
)

Shares = npt.NDArray[np.float64]

LEAST = 1e-6
"""A smaller limit counts as so much: 0 has no shares."""


def margins(measured: MeasuredPairs, config: DedupConfig) -> Shares:
    """Return how far each placing is from the limit between the same picture and others.

    Parameters
    ----------
    measured : MeasuredPairs
        The rows.
    config : DedupConfig
        The limits.

    Returns
    -------
    ndarray of float64, shape (rows,)
        Of the measure that is worst for the pair, its distance from its limit as a share of that
        limit: 0 and more where it is the same picture, below 0 where it is not. The sign is the
        answer of `relation.RelationLimits`, with the hashes' limit; a placing of reduced pictures,
        which has no measure with a limit, is 1 or -1.
    """
    showed = measured.showed
    whole = measured.placing == PLACINGS.index(Placing.WHOLE)
    reduced = measured.placing == PLACINGS.index(Placing.REDUCED)
    least = np.where(
        whole, max(config.min_correlation, WHOLE_CORRELATION), config.min_correlation
    ).astype(np.float32)
    parts = [
        _above(showed.correlation, least),
        np.where(whole, np.inf, _above(showed.inliers, np.float32(config.min_inliers))),
        _above(showed.agreeing, np.float32(SHARED_SCENE)),
        _above(showed.placed, np.float32(PLACED)),
        -_above(showed.changed, np.float32(config.max_changed)),
    ]
    worst = np.where(reduced, np.where(measured.clear, 1.0, -1.0), np.min(parts, axis=0))
    hashed = measured.distance != NO_BITS
    bits = -_above(measured.distance, np.float32(config.distance))
    return np.where(hashed, np.minimum(worst, bits), worst)


def _above(
    values: "npt.NDArray[np.floating[Any]] | npt.NDArray[np.integer[Any]]",
    limit: "npt.NDArray[np.float32] | np.float32",
) -> Shares:
    """Return by what share of its limit a value is above it; the limit may be 0 or less."""
    gap = values.astype(np.float64) - limit
    return np.asarray(gap / np.maximum(np.abs(limit), np.float32(LEAST)), np.float64)
