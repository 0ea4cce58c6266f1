"""Make pictures of any shape smaller."""

from typing import Final

from PIL import Image

FILTERED_SIDE: Final = 65_535
"""Longest side, in pixels, that a filter reduces directly. A filter's weights take up to 48 bytes a
pixel of the side: 3 GB for a row of 64 million pixels."""


def resized(picture: Image.Image, size: tuple[int, int], method: Image.Resampling) -> Image.Image:
    """Resize a picture; one with a very long side in two steps.

    Parameters
    ----------
    picture : PIL.Image.Image
        Any.
    size : tuple of (int, int)
        Width and height in pixels.
    method : PIL.Image.Resampling
        The filter.

    Returns
    -------
    PIL.Image.Image
        The picture at that size. A side longer than `FILTERED_SIDE` pixels is first reduced by
        averaging whole pixels, which needs no weights.
    """
    return moderate(picture).resize(size, method)


def moderate(picture: Image.Image) -> Image.Image:
    """Return a picture whose sides are at most `FILTERED_SIDE`; usually the picture itself."""
    factors = [-(-side // FILTERED_SIDE) for side in picture.size]
    return picture.reduce((factors[0], factors[1])) if max(factors) > 1 else picture
