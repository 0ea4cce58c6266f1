"""The nearest of stored vectors by exact inner products, a block of them at a time."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def nearest(
    asked: NDArray[np.float32], blocks: Iterable[NDArray[np.float32]], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the rows with the largest inner products.

    Parameters
    ----------
    asked : ndarray of float32, shape (width,)
        Of length 1, as all rows.
    blocks : iterable of ndarray of float32, shape (rows, width)
        Consecutive rows; one block is in memory at a time.
    count : int
        How many are wanted.

    Returns
    -------
    rows : ndarray of int64
        Row numbers over all blocks, the nearest first; equal ones in their order.
    products : ndarray of float32
        Their inner products.
    """
    products = [np.empty(0, np.float32), *(block @ asked for block in blocks)]
    every = np.concatenate(products)
    order = np.argsort(-every, kind="stable")[:count]
    return order, every[order]
