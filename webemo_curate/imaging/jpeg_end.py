"""Recognize JPEG files that lack nothing but their end marker."""

import hashlib
import io
from collections.abc import Iterator
from typing import Final

from PIL.JpegImagePlugin import JpegImageFile

from webemo_curate.own_faults import raise_other_fault

END: Final = b"\xff\xd9"
PADDING: Final = b"\0\xff"
"""Bytes that a file cut short may be filled up with; half an end marker is one of them."""

FILLINGS: Final = (bytes(4096), b"\xa5" * 4096, b"\x5a" * 4096)
"""Codes of different coefficients, enough for the largest unit of blocks (10 of 64 coefficients).
A decoder that has all its pixels skips any; one that waits for pixels makes other ones of each."""


def completed(content: bytes) -> Iterator[bytes]:
    """Yield a JPEG file with its end marker, if that is all that it lacks.

    Browsers show such a file whole, and some cameras and servers send it. Pillow cannot tell it
    from one that lacks pixels, which stays broken. A progressive file that ends with one of its
    scans counts as whole: it shows all of the picture, less finely.

    Parameters
    ----------
    content : bytes
        A file that does not decode as it is.

    Yields
    ------
    bytes
        The completed file; nothing if there is an end marker already, or pixels are missing.
    """
    body = content.rstrip(PADDING)
    if content.endswith(END) or body.endswith(END):
        return
    try:
        whole = len({_pixel_digest(body + filling + END) for filling in FILLINGS}) == 1
    except Exception as error:  # Pillow's readers raise many kinds on broken files
        raise_other_fault(error)
        return
    if whole:
        yield body + END


def _pixel_digest(content: bytes) -> bytes:
    with JpegImageFile(io.BytesIO(content)) as image:
        return hashlib.sha256(image.tobytes()).digest()
