"""Reduce a file to what its pixels depend on, without metadata that may be broken or huge.

Pillow rejects a picture whose text, color profile or list of frames is broken or too large;
browsers show it. A file that does not decode is tried again without these parts.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from webemo_curate.imaging.jpeg_end import completed

PNG_SIGNATURE: Final = 8
PNG_STILL: Final = frozenset({b"tRNS"})
PNG_ANIMATION: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})
PNG_ORIENTATION: Final = b"eXIf"

JPEG_PLAIN: Final = {0xE0: 14, 0xEE: 12}
"""APP0 and APP14 say how the colors are stored; the other APP segments do not. Each with the fewest
bytes that say it: decoders ignore a shorter one (libjpeg's jdmarker.c), and Pillow fails on it."""

JPEG_COMMENT: Final = 0xFE
JPEG_SCAN: Final = b"\xda"


AVIF_EXIF: Final = re.compile(rb"(infe.{8,10})Exif", re.DOTALL)
"""An entry of the item list (ISO 14496-12, 8.11.6) that declares an item as EXIF."""


class Chunk(NamedTuple):
    """A part of a file: its kind, start and end."""

    kind: bytes
    start: int
    end: int


def of_png(content: bytes) -> Iterator[bytes]:
    """Yield a PNG file, then without text and profiles, as a still picture, without transparency.

    Parameters
    ----------
    content : bytes
        The file's bytes.

    Yields
    ------
    bytes
        The file with less and less metadata. The orientation is kept if its checksum is right.
    """
    yield content
    for wanted in (PNG_STILL | PNG_ANIMATION, PNG_STILL, frozenset[bytes]()):
        kept = (chunk for chunk in _png_chunks(content) if _is_kept(chunk, content, wanted))
        yield content[:PNG_SIGNATURE] + b"".join(content[c.start : c.end] for c in kept)


def of_jpeg(content: bytes) -> Iterator[bytes]:
    """Yield a JPEG file, then without EXIF, profiles, previews and comments, then completed.

    Parameters
    ----------
    content : bytes
        The file's bytes.

    Yields
    ------
    bytes
        The file, then what is left of it, then the file with its end marker, if it lacks only that.
    """
    yield content
    kept, at = [content[:2]], 2
    while content[at : at + 1] == b"\xff" and content[at + 1 : at + 2] != JPEG_SCAN:
        marker = int.from_bytes(content[at + 1 : at + 2], "big")
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if not at + 4 <= end <= len(content) - 2:
            break
        metadata = marker == JPEG_COMMENT or 0xE0 <= marker <= 0xEF
        if not metadata or end - at - 4 >= JPEG_PLAIN.get(marker, end):
            kept.append(content[at:end])
        at = end
    yield b"".join([*kept, content[at:]])
    yield from completed(content)


def of_avif(content: bytes) -> Iterator[bytes]:
    """Yield an AVIF file, then the same with its EXIF item renamed to an unknown type.

    Parameters
    ----------
    content : bytes
        The file's bytes.

    Yields
    ------
    bytes
        Two files of equal length.
    """
    yield content
    yield AVIF_EXIF.sub(rb"\1none", content)


def _png_chunks(content: bytes) -> Iterator[Chunk]:
    """Yield the chunks of a PNG file up to its end; the last one may be cut off."""
    at = PNG_SIGNATURE
    while at < len(content):
        kind = content[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        yield Chunk(kind, at, end)
        if kind == b"IEND":
            return
        at = end


def _is_kept(chunk: Chunk, content: bytes, wanted: frozenset[bytes]) -> bool:
    if chunk.kind == PNG_ORIENTATION:
        body = content[chunk.start + 4 : chunk.end - 4]
        return zlib.crc32(body) == int.from_bytes(content[chunk.end - 4 : chunk.end], "big")
    ancillary = bool(chunk.kind) and bool(chunk.kind[0] & 0x20)
    return not ancillary or chunk.kind in wanted
