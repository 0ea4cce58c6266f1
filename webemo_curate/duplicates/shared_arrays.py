"""Arrays that all workers of a search map, and what those workers have in common."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from webemo_curate.errors import CurateError
from webemo_curate.storage.protocols import Store


@dataclass(frozen=True)
class MappingWorker:
    """The part of a `runner.job.Worker` that a search's workers share.

    Attributes
    ----------
    store
        Holds the arrays.
    compared
        What is compared, for messages; the first column of a batch names the search.
    """

    compared: ClassVar[str]
    store: Store

    def setup(self) -> None:
        """Do nothing: arrays are mapped when they are first asked for."""

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Refuse to go on without a part of the search: its pairs would be missed."""
        raise CurateError(
            f"{batch['search'][0]}: a process that compares {self.compared} ended twice; its "
            "memory may not do: run the same command with fewer --workers"
        )


@contextmanager
def shared_arrays(store: Store, folder: str, *arrays: NDArray[np.generic]) -> Iterator[list[str]]:
    """Put arrays where all workers find them, while the block runs.

    Parameters
    ----------
    store : Store
        Where.
    folder : str
        The key below which they lie; what a killed command left there is removed.
    *arrays : ndarray
        What is shared.

    Yields
    ------
    list of str
        Their keys, named by content: `numpy.load` maps what `Store.local` gives.
    """
    store.remove(folder)
    keys = [f"{folder}/{hashlib.sha256(array.data).hexdigest()}.npy" for array in arrays]
    try:
        for key, array in zip(keys, arrays, strict=True):
            with store.writing(key) as partial, partial.open("wb") as stream:
                np.save(stream, array)
        yield keys
    finally:
        store.remove(folder)
