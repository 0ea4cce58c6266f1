"""Pixels as 32-bit words that hold red, green and blue, as in Pillow's memory."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image

Words = npt.NDArray[np.uint32]
"""Pixels, one in each word: red in the lowest byte, then green, then blue. The highest byte is
undefined."""


def words_of(picture: Image.Image) -> Words:
    """Return a picture's pixels as words: a quarter as many numbers as bytes.

    Parameters
    ----------
    picture : PIL.Image.Image
        RGB, not changed as long as the words are used.

    Returns
    -------
    ndarray of uint32, shape (H, W)
        See `Words`; read-only.
    """
    try:
        flat = pa.array(picture).flatten().to_numpy()  # Pillow's own memory, nothing is copied
    except ValueError:  # a picture of more than Pillow's block of 16 MB lies in several
        flat = np.frombuffer(picture.tobytes("raw", "RGBX"), np.uint8)
    return flat.view("<u4").reshape(picture.height, picture.width)
