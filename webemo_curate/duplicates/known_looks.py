"""Closer looks of an earlier run: a look at two files shows the same each time it is taken."""

from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.duplicates.hash_keys import Indices
from webemo_curate.duplicates.measured import Placing
from webemo_curate.duplicates.placings import PLACING, Mask, Placings, Proofs

COLUMNS = ["first", "second", "placing", "mirrored", *(field.name for field in PLACING)]
"""Those of the pairs manifest that are read."""


@dataclass(frozen=True)
class KnownLooks:
    """Looks by the pictures' hashes.

    Attributes
    ----------
    pairs
        Rows of the pairs manifest, `COLUMNS`; None if there are none.
    """

    pairs: pa.Table | None

    def find(
        self, paths: npt.NDArray[np.object_], pairs: tuple[Indices, Indices], mirrored: Mask
    ) -> Proofs:
        """Return what is known of pairs.

        Parameters
        ----------
        paths : ndarray of str
            Files by position; a stored picture's name is its hash.
        pairs : tuple of ndarray of int64
            Positions of first and second pictures.
        mirrored : ndarray of bool, shape (pairs,)
            Whether the second picture is compared as its mirror image.

        Returns
        -------
        Proofs
            Not measured where nothing is known.
        """
        proofs = Proofs(*(Placings.none(len(mirrored)) for _ in Proofs._fields))
        if self.pairs is None or not len(mirrored):
            return proofs
        names = [PurePosixPath(path).stem for path in paths.tolist()]
        wanted = _keys(*pairs, mirrored, len(names))
        for placings, placing in zip(proofs, (Placing.WHOLE, Placing.KEYPOINTS), strict=True):
            self._fill(placings, placing, names, wanted)
        return proofs

    def _fill(
        self, placings: Placings, placing: Placing, names: list[str], wanted: Indices
    ) -> None:
        assert self.pairs is not None  # noqa: S101
        kinds = self.pairs["placing"].cast(pa.string())
        table = self.pairs.filter(pc.equal(kinds, placing))
        sides = [pc.index_in(table[side], pa.array(names)) for side in ("first", "second")]
        table = table.filter(pc.and_(*(side.is_valid() for side in sides)))
        first, second = (side.drop_null() for side in _both(sides))
        keys = _keys(
            first.to_numpy().astype(np.int64),
            second.to_numpy().astype(np.int64),
            table["mirrored"].to_numpy(),
            len(names),
        )
        if not len(keys):
            return
        order = np.argsort(keys, kind="stable")
        place = order[np.searchsorted(keys[order], wanted).clip(max=len(keys) - 1)]
        hit = keys[place] == wanted
        fields = [table[field.name].combine_chunks() for field in PLACING]
        column = pa.chunked_array([pa.StructArray.from_arrays(fields, fields=list(PLACING))])
        known = Placings.of(column)
        placings.put(hit, Placings(*(values[place[hit]] for values in known)))


NOTHING_KNOWN = KnownLooks(None)


def _both(sides: list[pa.ChunkedArray]) -> list[pa.ChunkedArray]:
    """Blank both positions of a pair of which one picture is not there."""
    there = pc.and_(*(side.is_valid() for side in sides))
    return [pc.if_else(there, side, pa.scalar(None, pa.int32())) for side in sides]


def _keys(first: Indices, second: Indices, mirrored: Mask, size: int) -> Indices:
    """Return a number for each pair and way round."""
    return (first * size + second) * 2 + mirrored
