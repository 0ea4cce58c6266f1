"""Vectors of color and texture, made of what the images stage keeps: no picture is read again."""

import numpy as np
from numpy.typing import NDArray

from webemo_curate.duplicates.perceptual import COLOR_SIDE
from webemo_curate.imaging.structure import REDUCED_SIDE
from webemo_curate.likeness.unit_vectors import unit

CELLS, DIRECTIONS = 4, 8
"""Texture: a histogram of edge directions in each of 4 x 4 cells."""

WIDTH = COLOR_SIDE**2 * 3 + CELLS**2 * DIRECTIONS

Floats = NDArray[np.float32]


def appearance(grays: NDArray[np.uint8], colors: NDArray[np.uint8]) -> Floats:
    """Describe pictures by the colors of their parts and the directions of their edges.

    Parameters
    ----------
    grays : ndarray of uint8, shape (images, 32, 32)
        Reduced gray pictures.
    colors : ndarray of uint8, shape (images, 4, 4, 3)
        Mean colors of their parts, RGB.

    Returns
    -------
    ndarray of float32, shape (images, 176)
        Of length 1: the inner product of two is the mean of the cosines of colors and of texture.
    """
    flat = colors.reshape(len(colors), -1).astype(np.float32) / 255 - 0.5
    return unit(np.concatenate([unit(flat), unit(_directions(grays))], axis=1))


def _directions(grays: NDArray[np.uint8]) -> Floats:
    """Return square roots of edge strength by cell and direction: shape (images, 128)."""
    values = grays.astype(np.float32) / 255
    down, right = np.gradient(values, axis=(1, 2))
    turn = np.arctan2(down, right) % np.pi
    direction = np.minimum((turn * (DIRECTIONS / np.pi)).astype(np.int64), DIRECTIONS - 1)
    strength = np.hypot(down, right)
    side = REDUCED_SIDE // CELLS
    found = np.empty((len(grays), CELLS, CELLS, DIRECTIONS), np.float32)
    for number in range(DIRECTIONS):
        own = np.where(direction == number, strength, 0)
        cells = own.reshape(len(grays), CELLS, side, CELLS, side).sum(axis=(2, 4))
        found[..., number] = np.sqrt(cells)
    return found.reshape(len(grays), -1)
