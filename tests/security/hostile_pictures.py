"""Files of a few kilobytes, or megabytes, that ask for more than any picture is worth."""

import struct
import zlib

from PIL import Image

from tests.imaging.drawn import animation, encode, picture, png_chunk

SIDE = 8000


def jpeg(scans: int, side: int = SIDE) -> bytes:
    """Write a progressive JPEG of so many scans, each over all pixels and nearly empty.

    A scan says in 15 bits that 32,767 blocks have nothing (end of band, ITU T.81, G.1.2.2).
    """
    runs = -(-((side // 8) ** 2) // 32767)
    bits = ("0" + "1" * 14) * runs
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    scan = b"\xff\xda\0\x08\1\1\0\x01\x3f\0" + data
    table = b"\xff\xc4\0\x14\x10" + b"\1" + bytes(15) + b"\xe0"
    quantization = b"\xff\xdb\0\x43\0" + bytes([1]) * 64
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 11, 8, side, side, 1) + b"\1\x11\0"
    return b"\xff\xd8" + quantization + frame + table + scan * scans + b"\xff\xd9"


def jpeg_filled(count: int) -> bytes:
    """Write a JPEG with so many fill bytes before its first marker."""
    content = encode(picture(), "JPEG")
    return content[:2] + b"\xff" * count + content[2:]


def jpeg_remarks(count: int) -> bytes:
    """Write a JPEG of so many empty remarks."""
    content = encode(picture(), "JPEG")
    return content[:2] + b"\xff\xfe\0\2" * count + content[2:]


def png_row(width: int) -> bytes:
    """Write a PNG of one row of black pixels, a bit each."""
    header = struct.pack(">IIBBBBB", width, 1, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1 + (width + 7) // 8), 9)
    chunks = (png_chunk(b"IHDR", header), png_chunk(b"IDAT", rows), png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def png_chunks(count: int) -> bytes:
    """Write a PNG with so many empty chunks that no reader knows."""
    content = encode(picture(), "PNG")
    return content[:33] + png_chunk(b"emPt", b"") * count + content[33:]


def tiff(strips: int, *, tag: int = 273, big: bool = False) -> bytes:
    """Write a gray TIFF of 1,000 x 1,000 pixels that says it has so many strips, one in truth."""
    inline, entry = ("<HHQQ", 8) if big else ("<HHII", 4)
    tags = [(256, 3, 1, 1000), (257, 3, 1, 1000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    tags += [(tag, 4, strips, 0), (277, 3, 1, 1), (278, 3, 1, 1), (279, 4, strips, 0)]
    head = b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, len(tags)) if big else b"II*\0"
    head += b"" if big else struct.pack("<IH", 8, len(tags))
    places = len(head) + len(tags) * struct.calcsize(inline) + entry
    body = b"".join(
        struct.pack(inline, *(part[:3]), places if part[2] > 1 else part[3])
        for part in sorted(tags)
    )
    return head + body + bytes(entry) + struct.pack("<I", places) * strips + bytes(1000)


def tiff_tile(side: int) -> bytes:
    """Write a TIFF of few pixels in one tile of so many a side."""
    content = encode(Image.new("L", (16, 16)), "TIFF")
    order = {278: (322, side), 273: (324, 8), 279: (325, 8)}
    (at,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, at)
    entries = []
    for index in range(count):
        tag, kind, number, value = struct.unpack_from("<HHII", content, at + 2 + 12 * index)
        tag, value = order.get(tag, (tag, value))
        entries.append((tag, kind, number, value))
    entries.append((323, 3, 1, side))
    body = b"".join(struct.pack("<HHII", *part) for part in sorted(entries))
    return content[:at] + struct.pack("<H", len(entries)) + body + bytes(4)


def gif_remarks(count: int) -> bytes:
    """Write a GIF with a remark in so many blocks of a byte each."""
    content = encode(picture().quantize(8), "GIF")
    at = content.index(b",")
    return content[:at] + b"!\xfe" + b"\1x" * count + b"\0" + content[at:]


def gif_frames(count: int) -> bytes:
    """Write a GIF of so many frames of one pixel, black and white in turn."""
    tables = b"\0\0\0\xff\xff\xff"
    one = b",\0\0\0\0\1\0\1\0\0\2\2D\1\0"
    two = b",\0\0\0\0\1\0\1\0\0\2\2L\1\0"
    return b"GIF89a\1\0\1\0\x80\0\0" + tables + (one + two) * (count // 2) + b";"


def bmp_runs(side: int) -> bytes:
    """Write a BMP with run-length coding that ends at once."""
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, 4, 0, 0, 2, 0)
    offset = 14 + len(header) + 8
    start = b"BM" + struct.pack("<IHHI", offset + 4, 0, 0, offset)
    return start + header + b"\0\0\0\0\xff\xff\xff\0" + b"\0\0\0\1"


def webp_canvas(side: int) -> bytes:
    """Write a WebP whose canvas says it has so many pixels a side."""
    content = bytearray(animation([picture(1), picture(2)], "WEBP"))
    content[24:27] = content[27:30] = (side - 1).to_bytes(3, "little")
    return bytes(content)


def avif_canvas(side: int) -> bytes:
    """Write an AVIF that says it has so many pixels a side."""
    content = bytearray(encode(picture(), "AVIF"))
    at = content.index(b"ispe") + 8
    content[at : at + 8] = struct.pack(">II", side, side)
    return bytes(content)
