"""Damage that leaves the pixels whole condemns no picture; what is broken or no image is named."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin, features

from tests.imaging.drawn import (
    MAX_PIXELS,
    ORIENTATION,
    animation,
    encode,
    picture,
    png_chunk,
    shown,
)
from webemo_curate.imaging import (
    DecodeError,
    NotAnImageError,
    check_body,
    load_rgb,
)


def test_a_broken_profile_of_inks_does_not_condemn_a_picture() -> None:
    inks = Image.new("CMYK", (16, 16), (0, 0, 0, 255))
    for profile in (
        b"junk" * 64,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ):
        color = shown(encode(inks, "JPEG", quality=100, icc_profile=profile))[8, 8]
        assert color.max() <= 3


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
