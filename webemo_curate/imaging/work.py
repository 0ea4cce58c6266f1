"""Count the work that a file asks for, before any of it is decoded.

Some formats let a few bytes ask for work that the number of pixels does not show: a JPEG passes
over all its pixels once a scan, a TIFF is assembled strip by strip. Each function here takes a file
of its format and raises a `DecodeError` if its work exceeds `config.BOUNDS`. Broken files pass:
their reader says what is wrong with them.
"""

import re
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from webemo_curate.config import BOUNDS
from webemo_curate.imaging.decode_errors import DecodeError
from webemo_curate.verdicts import DecodeStatus

SCAN: Final = b"\xff\xda"
PLAIN_SCANS: Final = 16
"""Number of scans that is accepted at any size; see `DecodeBounds.scanned_pixels`."""

MARKER: Final = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
"""Any marker except restarts, which stand within scans (ITU T.81, B.1.1.2)."""

ALONE: Final = frozenset({0x01, 0xD8})
"""Markers that no length follows: TEM and start of image."""

FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Start of frame, whose segment holds the size."""

END: Final = 0xD9
WHOLE_NUMBERS: Final = {1: 1, 3: 2, 4: 4, 16: 8}
"""Bytes of a TIFF value by its type: BYTE, SHORT, LONG, LONG8."""

WIDTH, HEIGHT, COMPRESSION, STRIPS, STRIP_ROWS = 256, 257, 259, 273, 278
TILE_WIDTH, TILE_HEIGHT, TILES = 322, 323, 324
"""Tags of TIFF 6.0."""

TIFF_JPEG: Final = frozenset({6, 7})
RUN_LENGTHS: Final = frozenset({1, 2})


class TiffEntry(NamedTuple):
    """A tag of a TIFF file: its number of values, and the first value."""

    values: int
    first: int


def of_jpeg(content: bytes) -> None:
    """Check a JPEG file's number of segments, and its scans times its pixels."""
    scans = steps = pixels = 0
    few = content.count(SCAN) <= PLAIN_SCANS
    if few and len(content) <= BOUNDS.header_steps:
        return  # a step is a byte at least
    for marker, start, skipped in _segments(content):
        steps += 1 + skipped
        if not scans and steps > BOUNDS.header_steps:
            raise _too_much("segments of a JPEG", BOUNDS.header_steps)
        if marker in FRAMES:
            height, width = struct.unpack_from(">HH", content.ljust(start + 7), start + 3)
            pixels = max(width * height, BOUNDS.frame_pixels)
        scans += marker == SCAN[1]
        if scans and few:
            return
        if scans * pixels > BOUNDS.scanned_pixels:
            reason = f"{scans} scans or more of {pixels} pixels"
            raise DecodeError(DecodeStatus.TOO_LARGE, reason)


def of_png(content: bytes) -> None:
    """Check a PNG file's number of chunks."""
    if len(content) // 12 <= BOUNDS.header_steps:
        return
    at = 8
    for _ in range(BOUNDS.header_steps):
        if at >= len(content):
            return
        at += 12 + int.from_bytes(content[at : at + 4], "big")
    if at < len(content):
        raise _too_much("chunks of a PNG", BOUNDS.header_steps)


def of_gif(content: bytes) -> None:
    """Check a GIF file's number of blocks."""
    if len(content) // 2 <= BOUNDS.gif_blocks:
        return
    at = 13 + _color_table(content[10:11])
    blocks = 0
    while at < len(content) and content[at] in b"!,":
        extension = content[at] == ord("!")
        at += 2 if extension else 11 + _color_table(content[at + 9 : at + 10])
        while at < len(content) and content[at]:
            at += 1 + content[at]
            blocks += 1
            if blocks > BOUNDS.gif_blocks:
                raise _too_much("blocks of a GIF", BOUNDS.gif_blocks)
        at += 1


def of_bmp(content: bytes) -> None:
    """Check the number of pixels of a BMP file with run-length coding."""
    short_header = content[14:18] == b"\x0c\0\0\0"
    if short_header or int.from_bytes(content[30:34], "little") not in RUN_LENGTHS:
        return
    width, height = struct.unpack_from("<ii", content.ljust(26), 18)
    if abs(width * height) > BOUNDS.run_pixels:
        raise _too_much("pixels of a BMP with run-length coding", BOUNDS.run_pixels)


def of_tiff(content: bytes) -> None:
    """Check the number of strips or tiles of a TIFF file's first page, and their scans."""
    tags = _tags(content)
    strips = max((tags[tag].values for tag in (STRIPS, TILES) if tag in tags), default=0)
    if strips > BOUNDS.strips:
        raise _too_much("strips or tiles of a TIFF", BOUNDS.strips)
    first = {tag: entry.first for tag, entry in tags.items()}
    tile = first.get(TILE_WIDTH, 0) * first.get(TILE_HEIGHT, 0)
    if tile > BOUNDS.tile_pixels:
        raise _too_much("pixels a tile of a TIFF", BOUNDS.tile_pixels)
    if first.get(COMPRESSION) in TIFF_JPEG:
        height = first.get(HEIGHT, 0)
        strip = tile or first.get(WIDTH, 0) * min(first.get(STRIP_ROWS, height), height)
        scans = content.count(SCAN)
        if scans * strip > BOUNDS.scanned_pixels:
            raise DecodeError(DecodeStatus.TOO_LARGE, f"{scans} scans of {strip} pixels a strip")


def _too_much(what: str, bound: int) -> DecodeError:
    return DecodeError(DecodeStatus.TOO_LARGE, f"more than {bound} {what}")


def _segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield each marker of a JPEG file, its segment's start, and the number of bytes skipped."""
    at = 2
    while (found := MARKER.search(content, at)) is not None:
        marker = found[1][0]
        skipped = found.end() - 2 - at
        at = found.end()
        if marker == END:
            return
        yield marker, at, skipped
        if marker not in ALONE:
            at += int.from_bytes(content[at : at + 2], "big")


def _color_table(flags: bytes) -> int:
    """Return the length in bytes of the color table that a GIF's flags announce."""
    return 3 << (1 + (flags[0] & 7)) if flags and flags[0] & 0x80 else 0


def _tags(content: bytes) -> dict[int, TiffEntry]:
    """Read the tags of a TIFF file's first page; empty if the file is cut off."""
    order = "<" if content.startswith(b"II") else ">"
    big = content[2:4] in (b"+\0", b"\0+")
    where, counted, entry = ("Q", "Q", "HHQ8s") if big else ("I", "H", "HHI4s")
    try:
        (at,) = struct.unpack_from(order + where, content, 8 if big else 4)
        (count,) = struct.unpack_from(order + counted, content, at)
        start = at + struct.calcsize(order + counted)
        size = struct.calcsize(order + entry)
        fields = struct.iter_unpack(order + entry, content[start : start + count * size])
        return {tag: TiffEntry(n, _first(kind, value, order)) for tag, kind, n, value in fields}
    except (struct.error, OverflowError):
        return {}


def _first(kind: int, value: bytes, order: str) -> int:
    """Return the number in an entry's field; meaningless if the values are stored elsewhere."""
    return int.from_bytes(value[: WHOLE_NUMBERS.get(kind, 0)], "little" if order == "<" else "big")
