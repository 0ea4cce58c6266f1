"""Pictures of the report: small, re-encoded, inside the page."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw

from webemo_curate.config import BOUNDS
from webemo_curate.duplicates.laid_task import LaidTask
from webemo_curate.imaging import Apart, DecodeError, Facts, Made, load_frame

SIDE: Final = 384
"""Pixels of the longer side at most: what a click enlarges, shown smaller beside others."""

MAX_BYTES: Final = 8_000
"""Of a picture's file: some 250 of them, in the page's base64, are less than 3 MB."""

QUALITIES: Final = (70, 50, 30)
"""Of WebP, from what photos are given to what noise is left with before it is made smaller."""

SMALLER: Final = 0.7
BOX_COLOR = (230, 60, 60)


def thumbnail(
    content: bytes,
    max_pixels: int,
    polygons: Sequence[Sequence[float]] = (),
    frame: int | None = None,
) -> str | None:
    """Return a picture as a data URI, re-encoded so that nothing of the file but pixels remains.

    Parameters
    ----------
    content : bytes
        Image file.
    max_pixels : int
        Largest width times height that is decoded.
    polygons : sequence of sequence of float
        Outlines to draw, x1 y1 x2 y2 ..., in the image's pixels.
    frame : int, optional
        The frame of an animation that is shown; default the one that stands for it.

    Returns
    -------
    str or None
        `data:image/webp;base64,...`, at most `MAX_BYTES` before base64; None if the image cannot
        be read.
    """
    details = {"max_pixels": max_pixels, "frame": frame, "polygons": [[*each] for each in polygons]}
    try:
        with Apart(ThumbnailTask()) as apart:
            small = apart.ask(content, **details).content
    except DecodeError:
        return None
    return as_data(small)


def laid_thumbnail(first: bytes, second: bytes, max_pixels: int) -> str | None:
    """Return a picture as it lies on another; see `thumbnail`.

    Parameters
    ----------
    first, second : bytes
        Image files; the second is moved to where it lies on the first.
    max_pixels : int
        Largest width times height that is decoded of each.

    Returns
    -------
    str or None
        In the first's shape, transparent where the second shows nothing; None if one of them
        cannot be read.
    """
    try:
        with Apart(LaidTask()) as apart:
            laid = apart.ask(first + second, max_pixels=max_pixels, side=SIDE, split=len(first))
    except DecodeError:
        return None
    return as_data(small_file(Image.open(io.BytesIO(laid.content))))


@dataclass(frozen=True)
class ThumbnailTask:
    """Makes thumbnails in a process that a file may end; a `PictureTask` of `imaging`."""

    seconds: float = BOUNDS.seconds

    def __call__(self, content: bytes, details: Facts) -> Made:
        """Return a WebP file."""
        image = load_frame(content, details["max_pixels"], details["frame"]).picture
        pen = ImageDraw.Draw(image)
        width = max(2, image.width // 100)
        for polygon in details["polygons"]:
            points = list(zip(polygon[0::2], polygon[1::2], strict=True))
            pen.line([*points, points[0]], BOX_COLOR, width)
        return Made({}, small_file(image))


def small_file(picture: Image.Image) -> bytes:
    """Return a picture as WebP, as large and as good as its bound on bytes lets it be.

    Parameters
    ----------
    picture : PIL.Image.Image
        RGB or RGBA; made smaller in place.

    Returns
    -------
    bytes
        A file of at most `MAX_BYTES`.
    """
    picture.thumbnail((SIDE, SIDE), Image.Resampling.BICUBIC)
    while True:
        for quality in QUALITIES:
            stream = io.BytesIO()
            picture.save(stream, "WEBP", quality=quality)
            if stream.tell() <= MAX_BYTES:
                return stream.getvalue()
        sides = max(1, int(picture.width * SMALLER)), max(1, int(picture.height * SMALLER))
        picture.thumbnail(sides, Image.Resampling.BICUBIC)


def as_data(file: bytes) -> str:
    """Return a file of `small_file` as what an `img` element takes."""
    return "data:image/webp;base64," + base64.b64encode(file).decode()
