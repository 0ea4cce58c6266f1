"""Arrays that all workers of a search map: they lie in the workspace while it runs."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from webemo_curate.storage.protocols import Store


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
