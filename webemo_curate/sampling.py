"""Reproducible draws: each row's random number is independent of the other rows."""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def hash_order(seed: int, purpose: str, names: Iterable[str]) -> NDArray[np.uint64]:
    """Give each name a pseudo-random number that depends only on the seed and the name.

    Sorting by it is a shuffle in which an additional name changes only one place.

    Parameters
    ----------
    seed : int
        The draw's seed.
    purpose : str
        Keeps the draws of different stages independent under one seed.
    names : iterable of str
        The names to draw numbers for.

    Returns
    -------
    ndarray of uint64, shape (names,)
        The first eight bytes of a SHA-256 for each name.
    """
    prefix = draw(seed, purpose).encode()
    digests = [hashlib.sha256(prefix + name.encode()).digest()[:8] for name in names]
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


def draw(seed: int, purpose: str) -> str:
    """Return the prefix of a name when its number is drawn; see `hash_order`."""
    return f"{seed}:{purpose}:"
