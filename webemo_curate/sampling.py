"""Reproducible draws: every row has a number of its own, whatever rows stand beside it."""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def hash_order(seed: int, purpose: str, names: Iterable[str]) -> NDArray[np.uint64]:
    """Give each name a pseudo-random number that depends on the seed and the name alone.

    Sorting by it is a shuffle that one more name changes in one place.

    Parameters
    ----------
    seed : int
        The draw's seed.
    purpose : str
        Keeps draws of different stages independent under one seed.
    names : iterable of str
        What is drawn.

    Returns
    -------
    ndarray of uint64, shape (names,)
        The first eight bytes of each SHA-256.
    """
    prefix = draw(seed, purpose).encode()
    digests = [hashlib.sha256(prefix + name.encode()).digest()[:8] for name in names]
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


def draw(seed: int, purpose: str) -> str:
    """Return what stands before a name where its number is drawn; see `hash_order`."""
    return f"{seed}:{purpose}:"
