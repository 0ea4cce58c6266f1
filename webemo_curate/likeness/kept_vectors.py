"""Vectors of pictures, kept by hash in parts: what was computed once is read."""

import hashlib
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from webemo_curate.errors import InputError
from webemo_curate.storage.checkpoints import Checkpoints

OPEN_PARTS: Final = 4
"""Parts in memory at a time: the pictures of one mostly follow each other."""

NAME, VECTOR = "sha256", "features"
FOREIGN: Final = (
    "data/checkpoints: kept features were changed by something else; delete the folder "
    "network-features there and run this again"
)
Floats = NDArray[np.float32]


class KeptVectors:
    """Vectors of one kind, a table for as many pictures as were added at a time.

    Parameters
    ----------
    parts : Checkpoints
        Keeps the tables. One that is damaged, or of another form, counts as not there.
    """

    def __init__(self, parts: Checkpoints) -> None:
        self._parts = parts
        self._opened = lru_cache(OPEN_PARTS)(self._open)

    @cached_property
    def _homes(self) -> dict[str, tuple[str, int]]:
        """The part of each picture, and its row there."""
        homes: dict[str, tuple[str, int]] = {}
        for part in sorted(self._parts.finished()):
            if (table := self._opened(part)) is not None:
                homes |= {name: (part, row) for row, name in enumerate(table[NAME].to_pylist())}
        return homes

    def missing(self, names: list[str]) -> list[int]:
        """Return the places of the pictures that have no vector yet."""
        return [place for place, name in enumerate(names) if name not in self._homes]

    def add(self, names: list[str], vectors: Floats) -> None:
        """Keep vectors of pictures: float32, shape (pictures, width)."""
        kind = pa.list_(pa.float32(), vectors.shape[1])
        column = pa.FixedSizeListArray.from_arrays(vectors.ravel(), type=kind)
        part = hashlib.sha256("".join(names).encode()).hexdigest()
        self._parts.save(part, pa.table({NAME: pa.array(names, pa.string()), VECTOR: column}))
        self._opened.cache_clear()  # a damaged part of that name may have been opened
        self._homes.update({name: (part, row) for row, name in enumerate(names)})

    def gather(self, names: list[str]) -> Floats:
        """Return the vectors of pictures, none of which is missing.

        Parameters
        ----------
        names : list of str
            Their hashes.

        Returns
        -------
        ndarray of float32, shape (pictures, width)
            In that order.

        Raises
        ------
        InputError
            If a part has been changed meanwhile, or was written by something else.
        """
        places: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            places.setdefault(self._homes[name][0], []).append(place)
        found = {part: self._vectors(part) for part in places}
        if len({vectors.shape[1] for vectors in found.values()}) > 1:
            raise InputError(FOREIGN)
        whole = np.concatenate(
            [vectors[self._rows(names, places[part])] for part, vectors in found.items()]
        )
        order = np.argsort(np.concatenate([*places.values()]))
        return whole[order]

    def _rows(self, names: list[str], places: list[int]) -> list[int]:
        return [self._homes[names[place]][1] for place in places]

    def _vectors(self, part: str) -> Floats:
        table = self._opened(part)
        if table is None:
            raise InputError(FOREIGN)
        values = table[VECTOR].combine_chunks()
        vectors: Floats = values.flatten().to_numpy().reshape(len(values), -1)
        return vectors

    def _open(self, part: str) -> pa.Table | None:
        table = self._parts.load(part)
        return table if table is not None and _is_sound(table) else None


def _is_sound(table: pa.Table) -> bool:
    """Return whether a part has the form that `add` writes; a digest proves no good faith."""
    if table.column_names != [NAME, VECTOR] or table[NAME].type != pa.string():
        return False
    kind = table[VECTOR].type
    if not pa.types.is_fixed_size_list(kind) or kind.value_type != pa.float32():
        return False
    columns = (*table.columns, table[VECTOR].combine_chunks().flatten())
    return not any(column.null_count for column in columns)
