"""Pixels as 32-bit words that hold red, green and blue, as in Pillow's memory."""

import numpy as np
import numpy.typing as npt
from PIL import Image

Words = npt.NDArray[np.uint32]
"""Pixels, one in each word: red in the lowest byte, then green, then blue. The highest byte is
undefined."""


def words_of(picture: Image.Image) -> Words:
    """Return a picture's pixels as words: a quarter as many numbers as bytes.

    Parameters
    ----------
    picture : PIL.Image.Image
        RGB.

    Returns
    -------
    ndarray of uint32, shape (H, W)
        See `Words`.
    """
    content = picture.tobytes("raw", "RGBX")  # Pillow's own layout, so nothing is repacked
    return np.frombuffer(content, "<u4").reshape(picture.height, picture.width)
