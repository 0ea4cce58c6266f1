"""Placings of many pairs as arrays: what it showed to lay one picture on the other."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

PLACING = pa.struct(
    [
        ("inliers", pa.int32()),
        ("placed", pa.float32()),
        ("correlation", pa.float32()),
        ("overlap", pa.float32()),
        ("agreeing", pa.float32()),
        ("changed", pa.float32()),
    ]
)
"""A `geometry.Match`; null where the placing was not tried or a picture could not be read."""

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


class Placings(NamedTuple):
    """One way of placing, tried on some of many pairs; arrays of one length.

    Attributes
    ----------
    measured
        bool, whether it was tried; where not, the other values are those of strangers.
    inliers
        int32, keypoints that agree.
    placed, correlation, overlap, agreeing, changed
        float32; see `geometry.Match`.
    """

    measured: Mask
    inliers: npt.NDArray[np.int32]
    placed: Floats
    correlation: Floats
    overlap: Floats
    agreeing: Floats
    changed: Floats

    @staticmethod
    def none(size: int) -> "Placings":
        """Return placings of which none was tried."""
        values = [np.zeros(size, np.float32) for _ in range(5)]
        values[-1][:] = 1  # of no match everything has changed
        return Placings._make([np.zeros(size, bool), np.zeros(size, np.int32), *values])

    @staticmethod
    def of(column: pa.ChunkedArray) -> "Placings":
        """Return what a column of type `PLACING` holds."""
        array = column.combine_chunks()
        empty = dict(zip(Placings._fields, Placings.none(1), strict=True))
        values = [
            pc.fill_null(pc.struct_field(array, name), pa.scalar(empty[name][0].item(), kind))
            for name, kind in ((field.name, field.type) for field in PLACING)
        ]
        # What a masked struct holds below its nulls is anything.
        measured = array.is_valid().to_numpy(zero_copy_only=False)
        filled = [
            np.where(measured, value.to_numpy(zero_copy_only=False), empty[field.name][0])
            for field, value in zip(PLACING, values, strict=True)
        ]
        typed = [v.astype(f.type.to_pandas_dtype()) for v, f in zip(filled, PLACING, strict=True)]
        return Placings._make([measured, *typed])

    def where(self, kept: npt.NDArray[np.bool_]) -> "Placings":
        """Return those of some pairs."""
        return Placings._make(values[kept] for values in self)

    def put(self, rows: Mask, found: "Placings") -> None:
        """Set those of some pairs, in place."""
        for mine, theirs in zip(self, found, strict=True):
            mine[rows] = theirs


class Proofs(NamedTuple):
    """What closer looks at pairs found, in their order.

    Attributes
    ----------
    whole
        Whole frames laid on one another.
    keypoints
        One picture placed on the other by keypoints.
    """

    whole: Placings
    keypoints: Placings
