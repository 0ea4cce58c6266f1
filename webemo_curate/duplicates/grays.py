"""Compare the reduced pictures of pairs that a hash proposes, by whole arrays."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

BLOCK = 2**13
"""Pairs compared at a time: about 100 MB of temporaries."""

LEAST = 1e-6

Grays = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class Resemblance(NamedTuple):
    """How alike the reduced pictures of pairs are.

    Attributes
    ----------
    correlation
        Pearson's, of all gray values; float32, shape (pairs,).
    residual
        Largest difference in gray levels of a part of 3 x 3 values, once the second picture is
        brought to the first one's brightness and contrast; float32, shape (pairs,).
    """

    correlation: Floats
    residual: Floats


def resemblance(
    grays: Grays, first: Indices, second: Indices, mirrored: npt.NDArray[np.bool_]
) -> Resemblance:
    """Compare pairs of reduced pictures.

    Parameters
    ----------
    grays : ndarray of uint8, shape (n, 32, 32)
        Of every picture.
    first, second : ndarray of int64, shape (pairs,)
        Positions.
    mirrored : ndarray of bool, shape (pairs,)
        Whether the second is compared as its mirror image.

    Returns
    -------
    Resemblance
        Memory besides it is bounded by blocks of pairs.
    """
    found = np.zeros((2, len(first)), np.float32)
    for start in range(0, len(first), BLOCK):
        part = slice(start, start + BLOCK)
        one = grays[first[part]].astype(np.float32)
        other = grays[second[part]].astype(np.float32)
        other = np.where(mirrored[part, None, None], other[:, :, ::-1], other)
        found[:, part] = _compare(one, other)
    return Resemblance(*found)


def _compare(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    one, other = (plane - plane.mean((1, 2), keepdims=True) for plane in (one, other))
    product, own, theirs = (
        np.einsum("nij,nij->n", a, b) for a, b in ((one, other), (one, one), (other, other))
    )
    correlation = product / np.sqrt(np.maximum(own * theirs, LEAST))
    slope = np.sqrt(own / np.maximum(theirs, LEAST))
    rest = one - np.clip(slope, 0.25, 4)[:, None, None] * other
    sums = np.cumsum(np.cumsum(np.pad(rest, ((0, 0), (1, 0), (1, 0))), 1), 2)
    parts = sums[:, 3:, 3:] - sums[:, :-3, 3:] - sums[:, 3:, :-3] + sums[:, :-3, :-3]
    return correlation, np.abs(parts).max((1, 2)) / 9


def differences(
    colors: Grays, first: Indices, second: Indices, mirrored: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Return by how many levels the pairs' mean colors differ.

    Parameters
    ----------
    colors : ndarray of uint8, shape (n, 4, 4, 3)
        Mean colors of the parts of every picture.
    first, second, mirrored : ndarray
        As in `resemblance`.

    Returns
    -------
    largest, mean : ndarray of float32, shape (pairs,)
        Over parts and channels.
    """
    found = np.zeros((2, len(first)), np.float32)
    for start in range(0, len(first), BLOCK):
        part = slice(start, start + BLOCK)
        one, other = (colors[side[part]].astype(np.int16) for side in (first, second))
        other = np.where(mirrored[part, None, None, None], other[:, :, ::-1], other)
        apart = np.abs(one - other)
        found[:, part] = apart.max((1, 2, 3)), apart.mean((1, 2, 3))
    return found[0], found[1]
