"""Pictures of the report: small, re-encoded, inside the page."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from webemo_curate.config import BOUNDS
from webemo_curate.imaging import Apart, DecodeError, Facts, Made, choose_frame, load_frame

THUMBNAIL = (180, 140)
QUALITY = 75
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
        `data:image/jpeg;base64,...`; None if the image cannot be read.
    """
    details = {"max_pixels": max_pixels, "frame": frame, "polygons": [[*each] for each in polygons]}
    try:
        with Apart(ThumbnailTask()) as apart:
            small = apart.ask(content, **details).content
    except DecodeError:
        return None
    return "data:image/jpeg;base64," + base64.b64encode(small).decode()


@dataclass(frozen=True)
class ThumbnailTask:
    """Makes thumbnails in a process that a file may end; an `imaging.apart.PictureTask`."""

    seconds: float = BOUNDS.seconds

    def __call__(self, content: bytes, details: Facts) -> Made:
        """Return a JPEG file."""
        frame, max_pixels = details["frame"], details["max_pixels"]
        chosen = (
            choose_frame(content, max_pixels)
            if frame is None
            else load_frame(content, max_pixels, frame)
        )
        image = chosen.picture
        pen = ImageDraw.Draw(image)
        width = max(2, image.width // 100)
        for polygon in details["polygons"]:
            points = list(zip(polygon[0::2], polygon[1::2], strict=True))
            pen.line([*points, points[0]], BOX_COLOR, width)
        image.thumbnail(THUMBNAIL, Image.Resampling.BICUBIC)
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=QUALITY)
        return Made({}, stream.getvalue())
