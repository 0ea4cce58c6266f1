"""Take a picture apart in bands of rows: work on a large one whole takes much memory."""

from collections.abc import Iterator
from typing import Final

from PIL import Image

BAND_PIXELS: Final = 2**20
"""Pixels worked on at a time."""


def bands(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield the bands of a picture.

    Parameters
    ----------
    image : PIL.Image.Image
        Of any mode.

    Yields
    ------
    int
        The band's first row.
    PIL.Image.Image
        A copy of it: of `BAND_PIXELS` or fewer, one row at least.
    """
    rows = max(1, BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))
