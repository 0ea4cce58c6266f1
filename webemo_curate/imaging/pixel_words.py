"""Pixels as words: red, green and blue in one number, as Pillow holds them."""

import numpy as np
import numpy.typing as npt
from PIL import Image

Words = npt.NDArray[np.uint32]
"""Pixels, one a word: red in its lowest byte, then green, then blue. The highest says nothing."""


def words_of(picture: Image.Image) -> Words:
    """Return a picture's pixels as words, which are a quarter as many numbers as bytes.

    Parameters
    ----------
    picture : PIL.Image.Image
        RGB.

    Returns
    -------
    ndarray of uint32, shape (H, W)
        See `Words`.
    """
    content = picture.tobytes("raw", "RGBX")  # as Pillow holds them: nothing is packed
    return np.frombuffer(content, "<u4").reshape(picture.height, picture.width)
