"""Pictures and files drawn for the tests of decoding."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from webemo_curate.imaging import (
    load_rgb,
)

MAX_PIXELS = 10**7
ORIENTATION = 0x0112


def picture(seed: int = 0, size: tuple[int, int] = (48, 32)) -> Image.Image:
    """Draw smooth blocks of color, all different by seed."""
    blocks = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC)


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a file of a picture."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def animation(pictures: list[Image.Image], kind: str, **options: Any) -> bytes:
    """Return a file of several frames."""
    return encode(pictures[0], kind, save_all=True, append_images=pictures[1:], **options)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    check = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)


def png(size: tuple[int, int], depth: int, color: int, rows: bytes, *chunks: bytes) -> bytes:
    """Return a PNG file of rows as they are, each after its filter byte, with further chunks."""
    header = struct.pack(">IIBBBBB", *size, depth, color, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + b"".join(chunks)
    body += png_chunk(b"IDAT", zlib.compress(rows, 9)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def shown(content: bytes) -> np.ndarray:
    """Return the pixels that a file gives."""
    return np.asarray(load_rgb(content, MAX_PIXELS))
