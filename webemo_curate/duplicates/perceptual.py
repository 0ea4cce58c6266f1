"""Perceptual hashes: 64 bits that stay nearly the same when a picture is re-scaled or re-encoded.

The hash is `imagehash.phash` bit for bit (see `phashes`), computed for many pictures at a time.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from webemo_curate.imaging.reducing import resized
from webemo_curate.imaging.structure import reduced_gray

HASH_SIDE = 8
"""Low frequencies kept per axis: 8 x 8 = 64 bits."""

COLOR_SIDE = 4
"""Pixels a side of the reduced color picture: what pictures without structure differ by."""

HashArray = npt.NDArray[np.uint64]


def reduce_gray(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Reduce a picture to what its perceptual hash is computed from.

    Parameters
    ----------
    image : PIL.Image.Image
        Upright RGB.

    Returns
    -------
    ndarray of uint8, shape (2, 32, 32)
        Gray values of the picture and of its mirror image.
    """
    reduced = reduced_gray(image)
    # Pillow's filter is symmetric: the mirror image, reduced by itself, would give the same.
    return np.stack([reduced, reduced[:, ::-1]])


def reduce_color(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Reduce a picture to a few pixels of color.

    Parameters
    ----------
    image : PIL.Image.Image
        Upright RGB.

    Returns
    -------
    ndarray of uint8, shape (4, 4, 3)
        Red, green and blue, each the mean of its part of the picture.
    """
    return np.asarray(resized(image, (COLOR_SIDE, COLOR_SIDE), Image.Resampling.BOX))


def phashes(reduced: npt.NDArray[np.uint8]) -> HashArray:
    """Compute the perceptual hashes of reduced pictures.

    A bit is set where a low-frequency DCT-II coefficient exceeds their median; equal, bit for bit,
    to `imagehash.phash(image, hash_size=8, highfreq_factor=4)`.

    Parameters
    ----------
    reduced : ndarray of uint8, shape (..., 32, 32)
        Gray values; see `reduce_gray`.

    Returns
    -------
    ndarray of uint64, shape (...)
        Hashes, row by row, the lowest frequency in the highest bit.
    """
    from scipy.fft import dct

    columns = dct(reduced.astype(np.float64), axis=-2)[..., :HASH_SIDE, :]
    low = dct(columns, axis=-1)[..., :HASH_SIDE]
    median = np.median(low, axis=(-2, -1), keepdims=True)
    bits = (low > median).reshape(*reduced.shape[:-2], HASH_SIDE * HASH_SIDE)
    packed = np.packbits(bits, axis=-1)
    return packed.view(">u8")[..., 0].astype(np.uint64)


def picture_hashes(images: Sequence[Image.Image]) -> HashArray:
    """Hash pictures and their mirror images.

    Parameters
    ----------
    images : sequence of PIL.Image.Image
        Upright RGB.

    Returns
    -------
    ndarray of uint64, shape (len(images), 2)
        The hash of each picture and of its mirror image.
    """
    if not images:
        return np.empty((0, 2), dtype=np.uint64)
    return phashes(np.stack([reduce_gray(image) for image in images]))
