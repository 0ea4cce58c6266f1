"""Pictures whose colors are not sRGB's are shown as browsers show them."""

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.imaging.drawn import MAX_PIXELS, encode, picture
from webemo_curate.config import BOUNDS
from webemo_curate.imaging import check_body, load_rgb, read_looks

D50 = (0.9642, 1.0, 0.8249)
ADOBE = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
"""Colorants of Adobe RGB (1998), adapted to D50."""

SRGB = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))


def fixed(*numbers: float) -> bytes:
    return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)


def profile(space: bytes, gamma: float, colorants: tuple = ()) -> bytes:
    """Write a version 2 profile of one gamma, for gray or with colorants (ICC.1:2001-04)."""
    curve = b"curv\0\0\0\0\0\0\0\1" + struct.pack(">H", round(gamma * 256)) + b"\0\0"
    tags = {b"wtpt": b"XYZ \0\0\0\0" + fixed(*D50), b"desc": b"desc" + bytes(96)}
    for name, colorant in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants, strict=False):
        tags[name] = b"XYZ \0\0\0\0" + fixed(*colorant)
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC") if colorants else (b"kTRC",), curve)
    at, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", at + len(body), len(content))
        body += content
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"lcms", 0x02400000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + fixed(*D50)
    return head.ljust(128, b"\0") + table + body


GAMMA = 1.5
WIDE = profile(b"RGB ", 2.2, ADOBE)
LIGHT_GRAY = profile(b"GRAY", GAMMA)


def shown(content: bytes) -> np.ndarray:
    return np.asarray(load_rgb(content, MAX_PIXELS)).astype(int)


def adobe_to_srgb(pixels: np.ndarray) -> np.ndarray:
    linear = (pixels / 255) ** (round(2.2 * 256) / 256)
    levels = linear @ np.array(ADOBE) @ np.linalg.inv(np.array(SRGB))
    levels = levels.clip(0, 1)
    curved = np.where(levels <= 0.0031308, 12.92 * levels, 1.055 * levels ** (1 / 2.4) - 0.055)
    return (curved * 255).round()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_colors_of_a_wide_profile_are_shown_in_srgb(kind: str) -> None:
    image = picture(3)
    content = encode(image, kind, icc_profile=WIDE, lossless=True)
    gap = np.abs(shown(content) - adobe_to_srgb(np.asarray(image)))
    assert gap.max() <= 2
    assert np.abs(shown(content) - np.asarray(image)).max() > 10


def test_a_jpeg_is_shown_by_its_profile_and_checked_without() -> None:
    image = picture(3)
    plain = encode(image, "JPEG", quality=95, subsampling=0)
    content = encode(image, "JPEG", quality=95, subsampling=0, icc_profile=WIDE)
    assert np.abs(shown(content) - adobe_to_srgb(shown(plain))).max() <= 2
    assert check_body(content, MAX_PIXELS) == ".jpg"


def test_gray_is_shown_by_the_profile_of_gray_or_of_color() -> None:
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    for kind in (LIGHT_GRAY, profile(b"RGB ", GAMMA, SRGB)):
        levels = shown(encode(ramp, "PNG", icc_profile=kind))[..., 0].ravel()
        linear = (np.arange(256) / 255) ** GAMMA
        curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
        assert np.abs(levels - (curve * 255).round()).max() <= 2
    wide = Image.fromarray(np.arange(256, dtype=np.uint16).reshape(16, 16) * 257)
    assert shown(encode(wide, "PNG", icc_profile=LIGHT_GRAY))[8, 0, 0] > 150


def test_transparency_is_laid_on_white_after_the_profile() -> None:
    layer = picture(3)
    layer.putalpha(Image.linear_gradient("L").resize(layer.size))
    content = shown(encode(layer, "PNG", icc_profile=WIDE))
    alpha = np.asarray(layer)[..., 3:] / 255
    expected = adobe_to_srgb(np.asarray(layer)[..., :3]) * alpha + 255 * (1 - alpha)
    assert np.abs(content - expected).max() <= 3
    keyed = Image.new("RGB", (4, 4), (10, 200, 30))
    assert (shown(encode(keyed, "PNG", icc_profile=WIDE, transparency=(10, 200, 30))) == 255).all()


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize(
    "bad",
    [
        srgb,
        lambda: b"no profile at all",
        lambda: WIDE[:200],
        lambda: WIDE[:128] + b"\xff" * 400,
        lambda: WIDE + bytes(BOUNDS.profile_bytes),
        lambda: LIGHT_GRAY,
        lambda: profile(b"RGB ", 2.2, ((0, 0, 0),) * 3)[:-40],
    ],
    ids=["sRGB", "text", "cut off", "broken tags", "too large", "for gray", "singular"],
)
def test_what_is_srgb_or_no_good_profile_changes_nothing(
    bad: Callable[[], bytes],
) -> None:
    image = picture(3)
    stream = io.BytesIO()
    image.save(stream, "TIFF", icc_profile=bad())
    assert np.array_equal(shown(stream.getvalue()), np.asarray(image))


def test_a_large_picture_is_converted_in_bands_as_a_small_one() -> None:
    image = picture(5, (2000, 1500))
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    content = encode(image, "PNG", compress_level=1, icc_profile=WIDE)
    top = encode(image.crop((0, 1000, 2000, 1100)), "PNG", icc_profile=WIDE)
    assert np.array_equal(shown(content)[1000:1100], shown(top))
    assert read_looks(content, MAX_PIXELS).frame.picture.size == (2000, 1500)
