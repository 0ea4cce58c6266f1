"""Decide whether a picture is flat, that is, shows nothing."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from webemo_curate.imaging.reducing import resized

REDUCED_SIDE: Final = 32
"""Side in pixels at which structure is sought, so that noise of single pixels averages out.
Perceptual hashes are computed from the same square: imagehash's four samples for each of eight
frequencies."""

MIN_DEVIATION: Final = 4.0
"""Standard deviation of gray values, of 255, from which a picture is not flat.

A flat picture of 220 x 160 pixels with noise of deviation 20 stays below this at `REDUCED_SIDE`; a
dark picture with a bright dot over a 700th of its area exceeds it.
"""


def has_structure(gray: npt.NDArray[np.uint8]) -> bool:
    """Return whether a picture shows anything, rather than being flat except for noise.

    Parameters
    ----------
    gray : ndarray of uint8, shape (S, S)
        Gray values of the picture, reduced to a small square; see `reduced_gray`.

    Returns
    -------
    bool
        False for pictures of one color, for which a hash of low frequencies is meaningless.
    """
    return bool(gray.std() >= MIN_DEVIATION)


def reduced_gray(picture: Image.Image) -> npt.NDArray[np.uint8]:
    """Reduce a picture to a small square of gray values.

    Parameters
    ----------
    picture : PIL.Image.Image
        Upright RGB.

    Returns
    -------
    ndarray of uint8, shape (32, 32)
        The input of `has_structure` and of perceptual hashes.
    """
    size = (REDUCED_SIDE, REDUCED_SIDE)
    return np.asarray(resized(picture.convert("L"), size, Image.Resampling.LANCZOS))
