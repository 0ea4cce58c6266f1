"""Vectors of length 1, whose inner products are cosines."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LEAST: Final = 1e-12
"""Length below which a vector counts as zero."""


def unit(vectors: Any) -> NDArray[np.float32]:
    """Scale rows to length 1; a row of zeros stays.

    Parameters
    ----------
    vectors : ndarray of float, shape (rows, width)
        Any.

    Returns
    -------
    ndarray of float32, shape (rows, width)
        Scaled.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = (vectors / np.maximum(lengths, LEAST)).astype(np.float32)
    return scaled
