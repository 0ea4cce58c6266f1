"""Pictures made smaller, whatever their shape."""

from typing import Final

from PIL import Image

FILTERED_SIDE: Final = 65_535
"""Pixels a side that a filter brings to a few at once. Its weights take up to 48 bytes a pixel of
the side: 3 GB of a row of 64 million pixels."""


def resized(picture: Image.Image, size: tuple[int, int], method: Image.Resampling) -> Image.Image:
    """Bring a picture to a size, extreme shapes in two steps.

    Parameters
    ----------
    picture : PIL.Image.Image
        Any.
    size : tuple of (int, int)
        Width and height.
    method : PIL.Image.Resampling
        The filter.

    Returns
    -------
    PIL.Image.Image
        Of that size; a side beyond `FILTERED_SIDE` pixels is first brought below it by means of
        whole pixels, which takes no weights.
    """
    return moderate(picture).resize(size, method)


def moderate(picture: Image.Image) -> Image.Image:
    """Return a picture no side of which is longer than `FILTERED_SIDE`, itself as a rule."""
    factors = [-(-side // FILTERED_SIDE) for side in picture.size]
    return picture.reduce((factors[0], factors[1])) if max(factors) > 1 else picture
