"""Pictures of the report: small, re-encoded, inside the page."""

import base64
import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

from webemo_curate.imaging import DecodeError, load_rgb

THUMBNAIL = (180, 140)
MAX_PIXELS = 64 * 10**6
QUALITY = 75
BOX_COLOUR = (230, 60, 60)


def thumbnail(content: bytes, polygons: Sequence[Sequence[float]] = ()) -> str | None:
    """Return a picture as a data URI, re-encoded so that nothing of the file but pixels remains.

    Parameters
    ----------
    content : bytes
        Image file.
    polygons : sequence of sequence of float
        Outlines to draw, x1 y1 x2 y2 ..., in the image's pixels.

    Returns
    -------
    str or None
        `data:image/jpeg;base64,...`; None if the image cannot be read.
    """
    try:
        image = load_rgb(content, MAX_PIXELS)
    except DecodeError:
        return None
    pen = ImageDraw.Draw(image)
    width = max(2, image.width // 100)
    for polygon in polygons:
        points = list(zip(polygon[0::2], polygon[1::2], strict=True))
        pen.line([*points, points[0]], BOX_COLOUR, width)
    image.thumbnail(THUMBNAIL, Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()
