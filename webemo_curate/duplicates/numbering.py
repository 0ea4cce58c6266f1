"""Number entries that stand together in runs."""

import numpy as np

from webemo_curate.duplicates.hash_keys import Indices


def numbered(sizes: Indices) -> tuple[Indices, Indices]:
    """Return, for runs of so many entries one after another, each entry's run and its place in it.

    Parameters
    ----------
    sizes : ndarray of int64
        Entries of each run.

    Returns
    -------
    run, place : ndarray of int64, shape (all entries,)
        Both from 0.
    """
    run = np.repeat(np.arange(len(sizes)), sizes)
    return run, np.arange(len(run)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
