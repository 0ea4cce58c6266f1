"""Files of every format and mode give the pixels that browsers and common viewers show."""

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin, features

from tests.imaging.drawn import (
    MAX_PIXELS,
    ORIENTATION,
    animation,
    encode,
    picture,
    png,
    png_chunk,
    shown,
)
from webemo_curate.imaging import (
    DecodeError,
    accepted_types,
    check_body,
    load_rgb,
    read_looks,
)

GRAY = np.arange(256, dtype=np.uint8).reshape(16, 16)
WHITE = [255, 255, 255]


def tiff(values: np.ndarray, **tags: object) -> bytes:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    for name, value in tags.items():
        info[int(name.removeprefix("t"))] = value
    return encode(Image.fromarray(values), "TIFF", tiffinfo=info)


def test_lossless_files_give_the_pixels_that_were_stored() -> None:
    image = picture()
    for kind, options in (
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
    ):
        assert np.array_equal(shown(encode(image, kind, **options)), np.asarray(image)), kind


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 95, "subsampling": 0}),
        ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}),
        ("WEBP", {"quality": 95}),
        ("AVIF", {"quality": 95, "subsampling": "4:4:4"}),
        ("MPO", {"quality": 95, "subsampling": 0}),
    ],
)
def test_lossy_files_give_nearly_the_pixels_that_were_stored(kind: str, options: dict) -> None:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    image = picture()
    gap = np.abs(shown(encode(image, kind, **options)).astype(int) - np.asarray(image))
    assert gap.mean() < 4


def test_a_multi_picture_jpeg_is_a_jpeg_and_its_first_picture_counts() -> None:
    first, preview = picture(1), picture(2, (24, 16))
    content = animation([first, preview], "MPO", quality=95)

    looks = read_looks(content, MAX_PIXELS)

    assert (looks.frame.format.name, looks.frame.format.suffix, looks.frames) == ("JPEG", ".jpg", 1)
    assert looks.frame.picture.size == first.size
    assert check_body(content, MAX_PIXELS) == ".jpg"


@pytest.mark.parametrize(
    "content",
    [
        encode(Image.fromarray(GRAY.astype(np.uint16) * 257), "PNG"),
        encode(Image.fromarray(GRAY.astype(np.uint16) * 257), "TIFF"),
        tiff((GRAY.astype(np.int64) * 0x1010101 - 2**31).astype(np.int32)),
        tiff(GRAY.astype(np.float32)),
        tiff(GRAY.astype(np.float32) / 255),
        tiff(GRAY.astype(np.float32) * 257),
        tiff(GRAY.astype(np.float32) * 0.5 - 3),
        encode(Image.fromarray(GRAY), "TIFF"),
        encode(Image.fromarray(GRAY).convert("LA"), "PNG"),
        tiff(GRAY ^ np.uint8(0x80), t339=2),
    ],
    ids=[
        "png16",
        "tiff16",
        "int32",
        "float255",
        "float1",
        "float65535",
        "float",
        "8",
        "LA",
        "int8",
    ],
)
def test_gray_levels_of_any_depth_keep_their_contrast(content: bytes) -> None:
    assert np.array_equal(shown(content), np.stack([GRAY] * 3, axis=-1))


def test_float_levels_are_what_the_file_says_they_are_and_what_is_no_number_is_black() -> None:
    values = np.array([[0.0, 40.0, 100.0, np.nan, np.inf, -np.inf]], np.float32)
    content = tiff(values, t340=0.0, t341=100.0)
    assert shown(content)[0, :, 0].tolist() == [0, 102, 255, 0, 255, 0]


def test_white_may_be_zero() -> None:
    values = np.array([[0, 65535]], np.uint16)
    assert shown(tiff(values, t262=0))[0, :, 0].tolist() == [255, 0]


def test_16_bits_a_color_become_8() -> None:
    pixel = struct.pack(">HHH", 0x1234, 0x8000, 0xFFFF)
    assert shown(png((1, 1), 16, 2, b"\0" + pixel)).tolist() == [[[0x12, 0x80, 0xFF]]]


def test_transparent_pixels_are_white() -> None:
    palette = png_chunk(b"PLTE", bytes([10, 20, 30, 40, 50, 60, 70, 80, 90]))
    row = b"\0\0\1\2"
    one = png((3, 1), 8, 3, row, palette, png_chunk(b"tRNS", b"\xff\0"))
    assert shown(one).tolist() == [[[10, 20, 30], WHITE, [70, 80, 90]]]
    many = png((3, 1), 8, 3, row, palette, png_chunk(b"tRNS", b"\0\x80\xff"))
    assert shown(many)[0, [0, 2]].tolist() == [WHITE, [70, 80, 90]]
    assert np.abs(shown(many)[0, 1].astype(int) - [147, 152, 157]).max() <= 1


@pytest.mark.parametrize(
    ("depth", "rows", "key", "expected"),
    [
        (1, b"\0\x40", 1, [0, 255]),
        (2, b"\0\x60", 1, [255, 170]),
        (4, b"\0\x3a", 3, [255, 170]),
        (8, b"\0\x33\xaa", 0x33, [255, 0xAA]),
        (16, b"\0\x12\x34\x12\x35", 0x1234, [255, 0x12]),
    ],
)
def test_the_transparent_gray_of_a_png_is_told_in_its_own_depth(
    depth: int, rows: bytes, key: int, expected: list[int]
) -> None:
    content = png((2, 1), depth, 0, rows, png_chunk(b"tRNS", struct.pack(">H", key)))
    assert shown(content)[0, :, 0].tolist() == expected


@pytest.mark.parametrize(("depth", "scale"), [(8, 1), (16, 257)])
def test_the_transparent_color_of_a_png_is_told_in_its_own_depth(depth: int, scale: int) -> None:
    colors = [(9, 8, 7), (9, 8, 6)]
    form = ">3B" if depth == 8 else ">3H"
    row = b"".join(struct.pack(form, *(value * scale for value in color)) for color in colors)
    key = struct.pack(">3H", *(value * scale for value in colors[0]))
    content = png((2, 1), depth, 2, b"\0" + row, png_chunk(b"tRNS", key))
    assert shown(content).tolist() == [[WHITE, [9, 8, 6]]]


def test_a_bmp_that_leaves_its_fourth_byte_unused_is_opaque() -> None:
    image = picture()
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    size = struct.pack("<IiiHHIIiiII", 108, *image.size, 1, 32, 3, 0, 0, 0, 0, 0)
    header = size + masks + bytes(52)
    start = b"BM" + struct.pack("<IHHI", 0, 0, 0, 14 + len(header)) + header
    for unused in (0, 255):
        layers = [*image.split()[::-1], Image.new("L", image.size, unused)]
        rows = np.dstack([np.asarray(layer) for layer in layers])[::-1]
        assert np.array_equal(shown(start + rows.tobytes()), np.asarray(image))


def test_inks_are_shown_as_browsers_show_them() -> None:
    inks = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    for kind, options in (("TIFF", {}), ("JPEG", {"quality": 100})):
        color = shown(encode(inks, kind, **options))[8, 8].astype(int)
        assert np.abs(color - [0, 255, 255]).max() <= 3, kind


def test_lab_is_read() -> None:
    image = picture()
    gap = np.abs(shown(encode(image.convert("LAB"), "TIFF")).astype(int) - np.asarray(image))
    assert gap.mean() < 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_pictures_are_turned_upright(kind: str) -> None:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    image = picture(3)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    lying = image.transpose(Image.Transpose.ROTATE_90)
    gap = np.abs(shown(encode(lying, kind, exif=exif)).astype(int) - np.asarray(image))
    assert gap.mean() < 12


def test_what_is_accepted_is_what_is_read() -> None:
    assert accepted_types()[-1] == "image/tiff"
    assert ("image/avif" in accepted_types()) == features.check("avif")
    for mime in accepted_types():
        kind = mime.removeprefix("image/").upper()
        assert read_looks(encode(picture(), kind), MAX_PIXELS).frame.format.mime == mime


def flat_png(width: int, height: int) -> bytes:
    packer = zlib.compressobj(9)
    rows = packer.compress(b"\0" + bytes((width + 7) // 8))
    for _ in range(height - 1):
        rows += packer.compress(b"\0" + bytes((width + 7) // 8))
    rows += packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = (png_chunk(b"IHDR", header), png_chunk(b"IDAT", rows), png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def webp_canvas(side: int) -> bytes:
    content = bytearray(animation([picture(1), picture(2)], "WEBP"))
    content[24:27] = content[27:30] = (side - 1).to_bytes(3, "little")
    return bytes(content)


def gif_frame_beyond() -> bytes:
    """A GIF whose second frame says that it is 65,535 x 65,535 pixels."""
    content = bytearray(animation([picture(1), picture(2)], "GIF"))
    at = content.rindex(b",\0\0\0\0" + struct.pack("<HH", 48, 32))
    content[at + 5 : at + 9] = b"\xff" * 4
    return bytes(content)


@pytest.mark.parametrize(
    "make",
    [
        lambda: flat_png(64_000_000, 1),
        lambda: webp_canvas(16_000_000),
        lambda: encode(Image.new("1", (4000, 3000)), "TIFF", compression="group4"),
    ],
    ids=["a row of millions", "a canvas of terabytes", "too many"],
)
def test_hostile_sizes_are_too_large_before_anything_is_allocated(
    make: Callable[[], bytes],
) -> None:
    content = make()
    for read in (check_body, load_rgb, read_looks):
        with pytest.raises(DecodeError, match="pixels") as caught:
            read(content, MAX_PIXELS)
        assert caught.value.status == "too_large"


def test_a_frame_larger_than_allowed_ends_an_animation() -> None:
    looks = read_looks(gif_frame_beyond(), MAX_PIXELS)
    assert looks.frames == 1


def test_one_bit_and_interlaced_pictures_are_read() -> None:
    bits = picture(10).convert("1")
    assert np.array_equal(shown(encode(bits, "PNG")), np.asarray(bits.convert("RGB")))
    palette = picture(10).quantize(16)
    assert np.array_equal(
        shown(encode(palette, "GIF", interlace=1)), np.asarray(palette.convert("RGB"))
    )
