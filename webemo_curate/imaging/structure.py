"""The one rule of what is flat: a picture that shows nothing."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from webemo_curate.imaging.reducing import resized

REDUCED_SIDE: Final = 32
"""Pixels a side at which structure is sought, so that noise of single pixels averages out, and from
which perceptual hashes are computed: imagehash's four samples for each of eight frequencies."""

LEAST_DEVIATION: Final = 4.0
"""Standard deviation of gray values, of 255, from which a picture is not flat.

Noise of a deviation of 20 over a flat picture of 220 x 160 pixels has less at `REDUCED_SIDE`; a
bright dot over a 700th of a dark picture has more.
"""


def has_structure(gray: npt.NDArray[np.uint8]) -> bool:
    """Tell whether a picture shows anything, or is flat but for noise.

    Parameters
    ----------
    gray : ndarray of uint8, shape (S, S)
        Gray values of the picture reduced to a small square; see `reduced_gray`.

    Returns
    -------
    bool
        False for pictures of one color, of which a hash of low frequencies says nothing.
    """
    return bool(gray.std() >= LEAST_DEVIATION)


def reduced_gray(picture: Image.Image) -> npt.NDArray[np.uint8]:
    """Reduce a picture to a small square of gray values.

    Parameters
    ----------
    picture : PIL.Image.Image
        Upright RGB.

    Returns
    -------
    ndarray of uint8, shape (32, 32)
        What `has_structure` and perceptual hashes are computed from.
    """
    size = (REDUCED_SIDE, REDUCED_SIDE)
    return np.asarray(resized(picture.convert("L"), size, Image.Resampling.LANCZOS))
