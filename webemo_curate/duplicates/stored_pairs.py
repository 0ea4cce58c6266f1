"""Measured pairs between the pairs manifest and the positions that methods work with."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.duplicates.hash_keys import Indices
from webemo_curate.duplicates.measured import (
    NO_BITS,
    PLACINGS,
    MeasuredPairs,
    Method,
    Placing,
)
from webemo_curate.duplicates.placings import PLACING, Placings

if TYPE_CHECKING:
    from collections.abc import Sequence

ONLY_CORRELATION = tuple(f.name for f in PLACING if f.name != "correlation")
"""What laying reduced pictures on one another does not measure."""


def as_table(measured: MeasuredPairs, method: Method, names: "Sequence[str]") -> pa.Table:
    """Return measured pairs as rows of the pairs manifest.

    Parameters
    ----------
    measured : MeasuredPairs
        What a method proposed.
    method : Method
        The method.
    names : sequence of str
        SHA-256 of the images, by position.

    Returns
    -------
    pa.Table
        Schema `schemas.PAIRS`, enums as plain texts.
    """
    hashes = pa.array(names, pa.string())
    reduced = measured.placing == PLACINGS.index(Placing.REDUCED)
    showed = measured.showed._asdict()
    masked = {
        field.name: pa.array(
            showed[field.name], field.type, mask=reduced & (field.name in ONLY_CORRELATION)
        )
        for field in PLACING
    }
    return pa.table(
        {
            "first": hashes.take(pa.array(measured.first)),
            "second": hashes.take(pa.array(measured.second)),
            "method": pa.repeat(str(method), len(reduced)),
            "placing": pa.array(PLACINGS).take(pa.array(measured.placing)),
            "mirrored": pa.array(measured.mirrored),
            "distance": pa.array(measured.distance, mask=measured.distance == NO_BITS),
            "clear": pa.array(measured.clear),
            **masked,
        }
    )


def from_table(pairs: pa.Table, names: "Sequence[str]") -> MeasuredPairs:
    """Return rows of the pairs manifest by position, without those of images that are not named.

    Parameters
    ----------
    pairs : pa.Table
        Schema `schemas.PAIRS`.
    names : sequence of str
        SHA-256 of images, by position.

    Returns
    -------
    MeasuredPairs
        The rows, in their order.
    """
    known = pa.array(names, pa.string())
    sides = [pc.index_in(pairs[side], known) for side in ("first", "second")]
    there = pc.and_(*(side.is_valid() for side in sides))
    pairs = pairs.filter(there)
    first, second = (side.filter(there).to_numpy().astype(np.int64) for side in sides)
    return measured_of(pairs, first, second)


def measured_of(pairs: pa.Table, first: Indices, second: Indices) -> MeasuredPairs:
    """Return rows of the pairs manifest whose pictures' positions are known.

    Parameters
    ----------
    pairs : pa.Table
        Schema `schemas.PAIRS`; the pictures' names are not looked at.
    first, second : ndarray of int64, shape (rows,)
        The positions.

    Returns
    -------
    MeasuredPairs
        The rows, in their order.
    """
    placing = pc.index_in(pairs["placing"].cast(pa.string()), pa.array(PLACINGS))
    reduced = placing.to_numpy() == PLACINGS.index(Placing.REDUCED)
    showed = Placings.none(len(reduced))
    showed.measured[:] = ~reduced
    for field in PLACING:
        values = getattr(showed, field.name)
        column = pairs[field.name]
        valid = column.is_valid().to_numpy()
        values[valid] = column.drop_null().to_numpy()
    return MeasuredPairs(
        first,
        second,
        pairs["mirrored"].to_numpy(),
        pc.fill_null(pairs["distance"], NO_BITS).to_numpy().astype(np.int16),
        placing.to_numpy().astype(np.int8),
        pairs["clear"].to_numpy(),
        showed,
    )


def named_images(pairs: pa.Table) -> list[str]:
    """Return the images that rows of the pairs manifest name.

    Parameters
    ----------
    pairs : pa.Table
        Has the columns `first` and `second`.

    Returns
    -------
    list of str
        SHA-256, each once: with these as names, `from_table` keeps every row.
    """
    sides = pa.chunked_array([*pairs["first"].chunks, *pairs["second"].chunks], pa.string())
    names: list[str] = sides.unique().to_pylist()
    return names


class StoredPairs:
    """Gives measured pairs of the manifest to `links.link_looks`.

    Parameters
    ----------
    pairs : pa.Table
        The pairs manifest.
    names : sequence of str
        SHA-256 of all images, by position.
    """

    def __init__(self, pairs: pa.Table, names: "Sequence[str]") -> None:
        self._methods = pairs["method"].cast(pa.string())
        self._pairs, self._names = pairs, names

    def __call__(self, method: Method, rows: Indices) -> MeasuredPairs:
        """Return the pairs of some rows that a method proposed."""
        ours = self._pairs.filter(pc.equal(self._methods, str(method)))
        measured = from_table(ours, self._names)
        standing = np.zeros(len(self._names), bool)
        standing[rows] = True
        return measured.where(standing[measured.first] & standing[measured.second])
