"""The pixels of a picture, as detectors take them."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
"""uint8, (height, width, 3), RGB."""

BAND_PIXELS = 2**20
"""Pixels copied at a time: Pillow takes twice the memory of what it hands to NumPy."""


def to_pixels(image: Image.Image) -> Pixels:
    """Copy a picture's pixels, band by band.

    Parameters
    ----------
    image : PIL.Image.Image
        RGB.

    Returns
    -------
    numpy.ndarray
        uint8, (height, width, 3); equal to `numpy.asarray(image)`, in half the memory.
    """
    rows = max(1, BAND_PIXELS // image.width)
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom)))
    return pixels
