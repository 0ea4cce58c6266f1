"""Decompress bytes of a TIFF file, whatever they mean.

Tags are written anew, so that Pillow decompresses the bytes as one wide gray picture, with all its
checks.
"""

import io
import struct
from collections.abc import Mapping
from typing import Final

from PIL import Image, TiffImagePlugin

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
"""Tags of TIFF 6.0."""

RAW: Final = 1
"""The compression that is none."""

LONG: Final = 4
"""The type of whole numbers of 4 bytes."""

HEAD: Final = 8
"""Bytes before the first that an offset may name."""


def decompress(content: bytes, tags: Mapping[int, tuple[int, ...]]) -> Image.Image:
    """Read the strips or tiles of a file as the pixels of a gray picture.

    Parameters
    ----------
    content : bytes
        The file's bytes.
    tags : Mapping of int to tuple of int
        The tags of a gray picture of 8 bits a pixel, which say where in the file its strips or
        tiles are.

    Returns
    -------
    PIL.Image.Image
        In mode L.

    Raises
    ------
    OSError
        If they are truncated or broken.
    """
    raw = tags[COMPRESSION] == (RAW,)
    # What is not compressed is read from the file as it is, so that no copy of it is made.
    at = HEAD if raw else len(content) + len(content) % 2
    head = b"II*\0" + struct.pack("<I", at)
    body = memoryview(content)[HEAD:] if not raw else b""
    whole = b"".join((head, body, bytes(at - HEAD - len(body)), _page(tags, at)))
    with _BytesOfTiff(io.BytesIO(whole)) as picture:
        if raw:
            picture.fp = io.BytesIO(content)
        picture.load()
        return picture


def _page(tags: Mapping[int, tuple[int, ...]], at: int) -> bytes:
    """Return the list of a page's tags, to be stored at an offset (TIFF 6.0, section 2)."""
    entries, beyond = b"", b""
    after = at + 2 + 12 * len(tags) + 4
    for tag, values in sorted(tags.items()):
        packed = struct.pack(f"<{len(values)}I", *values)
        if len(values) > 1:
            packed, beyond = struct.pack("<I", after + len(beyond)), beyond + packed
        entries += struct.pack("<HHI", tag, LONG, len(values)) + packed
    return struct.pack("<H", len(tags)) + entries + bytes(4) + beyond


class _BytesOfTiff(TiffImagePlugin.TiffImageFile):
    """The bytes of samples as a gray picture; their number is bounded before it is loaded."""

    def load_prepare(self) -> None:
        """Take memory for more pixels than Pillow allows a picture."""
        if self._im is None:
            self.im = Image.new(self.mode, self.size).im
        super().load_prepare()
