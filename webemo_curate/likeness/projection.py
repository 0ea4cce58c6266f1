"""Vectors laid out in the plane: those alike lie near each other."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from webemo_curate.likeness.unit_vectors import unit

COMPONENTS: Final = 50
"""Principal components that t-SNE compares, as its authors do (van der Maaten, Hinton 2008)."""

PERPLEXITY: Final = 30
"""Neighbors that count, as is usual; fewer where there are not three times as many pictures."""

MIN_LAID_OUT: Final = 10
"""With fewer pictures there are no neighborhoods to keep: their components are shown."""

EQUAL: Final = 1e-6
"""Difference of the values of unit vectors up to which all pictures lie in one place."""

SEED: Final = 0


def lay_out(parts: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Place vectors in the plane by t-SNE of their principal components.

    Parameters
    ----------
    parts : iterable of ndarray of float32, shape (rows, width)
        Consecutive rows.

    Returns
    -------
    ndarray of float32, shape (rows, 2)
        Within 0 to 1, in one unit for both axes, the longer one filled. Equal vectors in equal
        order give the same places on one kind of CPU: a single thread computes them.
    """
    every = [*parts]
    if not every:
        return np.empty((0, 2), np.float32)
    # Networks' features differ in length by how sure they are.
    vectors = unit(np.concatenate(every))
    if np.ptp(vectors, axis=0).max() < EQUAL:
        return np.full((len(vectors), 2), 0.5, np.float32)
    components = _components(vectors)
    if len(components) < MIN_LAID_OUT:
        return _within_unit(components[:, :2])
    from openTSNE import TSNE  # half a second, and optional

    count = len(components)
    embedding = TSNE(
        perplexity=min(PERPLEXITY, (count - 1) / 3),
        initialization="pca",
        neighbors="annoy" if count > 1_000 else "exact",
        n_jobs=1,
        random_state=SEED,
    ).fit(components)
    return _within_unit(np.asarray(embedding))


def _components(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the first principal components, at least two columns."""
    from sklearn.decomposition import PCA

    wanted = min(COMPONENTS, *vectors.shape)
    found = np.zeros((len(vectors), max(2, wanted)))
    if len(vectors) > 1:
        pca = PCA(wanted, svd_solver="covariance_eigh")
        found[:, :wanted] = pca.fit_transform(vectors.astype(np.float64))
    return found


def _within_unit(places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Move and scale places into the unit square, the shorter axis in its middle."""
    low, high = places.min(axis=0), places.max(axis=0)
    extent = (high - low).max() or 1.0
    return ((places - (low + high) / 2) / extent + 0.5).astype(np.float32)
