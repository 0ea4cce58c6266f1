"""Files of every format and mode give the pixels that browsers and common viewers show."""

import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin, features

from tests.imaging.drawn import MAX_PIXELS, animation, encode, picture, png, png_chunk
from webemo_curate.imaging import (
    DecodeError,
    NotAnImageError,
    accepted_types,
    check_body,
    load_rgb,
    read_looks,
)

GRAY = np.arange(256, dtype=np.uint8).reshape(16, 16)
WHITE = [255, 255, 255]
ORIENTATION = 0x0112


def shown(content: bytes) -> np.ndarray:
    return np.asarray(load_rgb(content, MAX_PIXELS))


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


def test_a_broken_profile_of_inks_does_not_condemn_a_picture() -> None:
    inks = Image.new("CMYK", (16, 16), (0, 0, 0, 255))
    for profile in (
        b"junk" * 64,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ):
        color = shown(encode(inks, "JPEG", quality=100, icc_profile=profile))[8, 8]
        assert color.max() <= 3


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


BROKEN_EXIF = [
    b"\x00\x08\x00\x02\x01\x12\x00\x03",
    b"b'Exif\\x00\\x00MM\\x00*'",
    b"Exif\0\0",
    b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01\x03\0\xff\xff\xff\x7f\x06\0\0\0",
    b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x04\0\0\0up\0\0\0\0\0\0",
]


@pytest.mark.parametrize("exif", BROKEN_EXIF)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_broken_exif_leaves_a_picture_as_it_is(kind: str, exif: bytes) -> None:
    image = picture(4)
    assert np.array_equal(shown(encode(image, kind, exif=exif)), shown(encode(image, kind)))


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_broken_exif_leaves_an_avif_as_it_is() -> None:
    image, exif = picture(4), Image.Exif()
    exif[0x010E] = "a title"
    content = encode(image, "AVIF", exif=exif)
    broken = content.replace(b"MM\0*", b"????").replace(b"II*\0", b"????")
    assert broken != content
    assert np.array_equal(shown(broken), shown(content))


def text_chunks(zipped: bool, itxt: bool) -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    (info.add_itxt if itxt else info.add_text)("workflow", "x" * 2_000_000, zip=zipped)
    return info


def test_what_decoders_ignore_as_too_short_does_not_condemn_a_picture() -> None:
    image = picture(5)
    content = encode(image, "PNG")
    for body in (b"", b"\0\1"):
        broken = content[:33] + png_chunk(b"tRNS", body) + content[33:]
        assert np.array_equal(shown(broken), np.asarray(image))
    content = encode(image, "JPEG")
    for segment in (b"\xff\xee\0\x07Adobe", b"\xff\xe0\0\x07JFIF\0"):
        assert np.array_equal(shown(content[:2] + segment + content[2:]), shown(content))


@pytest.mark.parametrize(
    "options",
    [
        {"pnginfo": text_chunks(True, False)},
        {"pnginfo": text_chunks(True, True)},
        {"pnginfo": text_chunks(False, False)},
        {"icc_profile": bytes(2_000_000)},
    ],
)
def test_large_texts_and_profiles_do_not_condemn_a_png(options: dict) -> None:
    image, exif = picture(5), Image.Exif()
    exif[ORIENTATION] = 3
    upside_down = image.transpose(Image.Transpose.ROTATE_180)
    content = encode(upside_down, "PNG", exif=exif, **options)
    assert np.array_equal(shown(content), np.asarray(image))
    assert check_body(content, MAX_PIXELS) == ".png"


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize(("progressive", "more"), [(False, range(3, 30)), (True, [6, 250])])
def test_a_jpeg_may_lack_its_end_marker_but_no_pixels(
    mode: str, progressive: bool, more: Sequence[int]
) -> None:
    content = encode(picture(5).convert(mode), "JPEG", progressive=progressive)
    for lost in (1, 2):
        for padding in (b"", b"\0" * 9):
            assert np.array_equal(shown(content[:-lost] + padding), shown(content))
            assert check_body(content[:-lost] + padding, MAX_PIXELS) == ".jpg"
    for lost in more:
        for read in (load_rgb, check_body):
            with pytest.raises(DecodeError, match=r"(?i)truncated"):
                read(content[:-lost], MAX_PIXELS)


def test_a_broken_list_of_frames_leaves_the_still() -> None:
    image = picture(6)
    content = animation([image, picture(7)], "PNG").replace(b"fdAT", b"fdAX")
    assert np.array_equal(shown(content), np.asarray(image))
    plain = encode(image, "PNG")
    broken = plain[:33] + png_chunk(b"acTL", struct.pack(">II", 2, 0)) + plain[33:]
    assert np.array_equal(shown(broken), np.asarray(image))


def test_a_wrong_checksum_counts_where_pixels_depend_on_it() -> None:
    image = picture(8)
    content = bytearray(encode(image, "PNG", pnginfo=text_chunks(False, False)))
    content[content.index(b"tEXt") + 20] ^= 1
    assert np.array_equal(shown(bytes(content)), np.asarray(image))
    content[content.index(b"IHDR") + 5] ^= 1
    with pytest.raises(DecodeError, match="IHDR"):
        shown(bytes(content))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "empty"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "svg"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html><svg/></html>", "html page"),
        (b'{"error": "gone"}', "json"),
        (b"Not Found", "text"),
        (b"BM is no header of a bitmap", "text"),
        (b"%PDF-1.7\n", "pdf"),
        (b"8BPS\0\1", "psd"),
        (b"\0\0\x02\0\0\0\0\0\0\0\0\0\x10\0\x10\0\x18\0", "cur or tga"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic"),
        (b"\0\0\0\x18ftypisom\0\0\0\0mp42isom", "mp4"),
        (b"\x1f\x8b\x08", "gzip"),
        (bytes(range(1, 200)), "unknown content"),
    ],
)
def test_what_is_no_image_is_named(content: bytes, named: str) -> None:
    for read in (load_rgb, check_body):
        with pytest.raises(NotAnImageError, match=f": {named}"):
            read(content, MAX_PIXELS)


def test_a_broken_image_is_not_said_to_be_none() -> None:
    content = encode(picture(), "PNG")
    with pytest.raises(DecodeError, match="truncated") as caught:
        load_rgb(content[: len(content) // 2], MAX_PIXELS)
    assert not isinstance(caught.value, NotAnImageError)
    damaged = content.replace(b"IDAT", b"ID\0T")
    with pytest.raises(DecodeError, match="broken PNG"):
        load_rgb(damaged, MAX_PIXELS)


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


def test_only_a_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DecodeError) as caught:
        load_rgb(tmp_path / "gone.png", MAX_PIXELS)
    assert caught.value.status == "missing"
    with pytest.raises(DecodeError) as caught:
        load_rgb(tmp_path, MAX_PIXELS)
    assert caught.value.status == "corrupt"


def test_bytes_after_the_picture_do_not_matter() -> None:
    image = picture(9)
    for kind in ("PNG", "JPEG", "GIF", "BMP"):
        content = encode(image, kind)
        assert np.array_equal(shown(content + b"trailing" * 100), shown(content)), kind


def test_one_bit_and_interlaced_pictures_are_read() -> None:
    bits = picture(10).convert("1")
    assert np.array_equal(shown(encode(bits, "PNG")), np.asarray(bits.convert("RGB")))
    palette = picture(10).quantize(16)
    assert np.array_equal(
        shown(encode(palette, "GIF", interlace=1)), np.asarray(palette.convert("RGB"))
    )
