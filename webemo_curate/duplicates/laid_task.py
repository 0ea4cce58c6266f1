"""Laying one stored picture on another in a process that a file may end."""

import io
from dataclasses import dataclass
from typing import Final

from PIL import Image

from webemo_curate.config import BOUNDS
from webemo_curate.duplicates.laying import lay_on
from webemo_curate.imaging import Facts, Made, choose_frame

QUALITY: Final = 90


@dataclass(frozen=True)
class LaidTask:
    """Lays the second of two files on the first, where it lies on it; a `PictureTask`.

    The content is both files, one after the other; the details are `split`, the length of the
    first, `side`, most pixels a side, and `max_pixels`, as many as are decoded of each.
    """

    seconds: float = 2 * BOUNDS.seconds

    def __call__(self, content: bytes, details: Facts) -> Made:
        """Return a WebP of the first's shape, transparent where the second shows nothing."""
        split, max_pixels, side = details["split"], details["max_pixels"], details["side"]
        pictures = [
            choose_frame(file, max_pixels).picture for file in (content[:split], content[split:])
        ]
        for picture in pictures:
            picture.thumbnail((side, side), Image.Resampling.BICUBIC)
        stream = io.BytesIO()
        lay_on(*pictures).save(stream, "WEBP", quality=QUALITY)
        return Made({}, stream.getvalue())
