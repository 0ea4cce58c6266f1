"""Convert decoded pixels of any mode to RGB, as a browser shows them on a page."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import BmpImagePlugin, Image, ImageFile, TiffImagePlugin

from webemo_curate.imaging.bands import BAND_PIXELS, bands
from webemo_curate.imaging.profiles import Profile, profile_of

PAGE: Final = (255, 255, 255)
"""Transparent pixels are shown on white, as on a browser's page."""

WIDE_GRAYS: Final = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I"})
BITS: Final = 258
"""The tag of TIFF 6.0 for bits per sample."""

PNG_DEPTH_AT: Final = 24
"""Offset of the bit depth in a PNG file: after signature, length, chunk type, width and height."""

Values = npt.NDArray[Any]

SIMPLE: Final = frozenset({"1", "L", "P", "RGB", "YCbCr"})
"""Modes that Pillow converts to RGB without temporary memory."""


def to_rgb(image: ImageFile.ImageFile, content: bytes) -> Image.Image:
    """Convert a decoded picture to RGB.

    Parameters
    ----------
    image : PIL.ImageFile.ImageFile
        A loaded file or frame of any mode; transparency is laid on white.
    content : bytes
        The file's bytes; a PNG's bit depth is read from them, which Pillow does not report.

    Returns
    -------
    PIL.Image.Image
        In mode RGB and sRGB, not turned. Gray levels of 16 bits keep their high byte, as in
        browsers.
    """
    profile = profile_of(image)
    if image.mode in WIDE_GRAYS:
        bits = _bits_of(image)
        return _by_bands(image, lambda band: _show(_wide_to_gray(band, bits), profile))
    simple = image.mode in SIMPLE and not image.has_transparency_data
    if (profile is None and simple) or _has_unused_alpha(image):
        return image.convert("RGB")
    if not image.has_transparency_data:
        return _by_bands(image, lambda band: _show(band, profile))
    if image.mode in ("L", "RGB"):
        key = _key_of(image, content)
        return _by_bands(image, lambda band: _keyed_to_rgb(band, key, profile))
    return _by_bands(image, lambda band: _layer_to_rgb(band, profile))


def picture_to_rgb(picture: Image.Image) -> Image.Image:
    """Convert a picture in memory, which has no file, to RGB; transparency is laid on white."""
    if picture.has_transparency_data:
        return _on_page(picture.convert("RGBA"))
    return picture.convert("RGB")


def _has_unused_alpha(image: ImageFile.ImageFile) -> bool:
    """Return whether a BMP's writer left the fourth byte of all pixels zero; it means nothing then.

    Browsers show such a picture opaque; in other formats it is what it says, all transparent.
    """
    if not isinstance(image, BmpImagePlugin.BmpImageFile) or image.mode != "RGBA":
        return False
    return image.getchannel("A").getbbox() is None


def _by_bands(image: Image.Image, show: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """Convert a picture in bands of rows, each by itself.

    Converting a large picture at once would need several times the memory of its pixels.
    """
    if image.width * image.height <= BAND_PIXELS:
        return show(image)
    whole = Image.new("RGB", image.size)
    for top, band in bands(image):
        whole.paste(show(band), (0, top))
    return whole


def _show(band: Image.Image, profile: Profile | None) -> Image.Image:
    """Convert opaque pixels to RGB, as a page shows them."""
    return band.convert("RGB") if profile is None else profile.show(band.convert(profile.mode))


def _layer_to_rgb(band: Image.Image, profile: Profile | None) -> Image.Image:
    layer = band.convert("RGBA")
    if profile is not None:
        alpha = layer.getchannel("A")
        layer = profile.show(layer.convert("RGB").convert(profile.mode))
        layer.putalpha(alpha)
    return _on_page(layer)


def _on_page(layer: Image.Image) -> Image.Image:
    page = Image.new("RGBA", layer.size, (*PAGE, 255))
    return Image.alpha_composite(page, layer).convert("RGB")


def _key_of(image: Image.Image, content: bytes) -> Values:
    """Return the transparent color of a picture, as levels of its mode.

    The file gives the color in its own bit depth (PNG, 11.3.2.1); Pillow's pixels have 8 bits.
    """
    key = np.atleast_1d(image.info["transparency"])
    depth = content[PNG_DEPTH_AT] if content.startswith(b"\x89PNG") else 8
    return key >> 8 if depth == 16 else key * 255 // (2**depth - 1)


def _keyed_to_rgb(band: Image.Image, key: Values, profile: Profile | None) -> Image.Image:
    """Lay a picture with one transparent color on white."""
    pixels = np.asarray(band).reshape(band.height, band.width, -1)
    clear = (pixels == key).all(axis=-1, keepdims=True)
    return Image.fromarray(np.where(clear, np.uint8(PAGE[0]), np.asarray(_show(band, profile))))


def _bits_of(image: ImageFile.ImageFile) -> int:
    """Return the bits of a gray level; those of a TIFF file may be 12."""
    stated = image.tag_v2.get(BITS) if isinstance(image, TiffImagePlugin.TiffImageFile) else None
    return int(stated[0]) if stated else 16


def _wide_to_gray(band: Image.Image, bits: int) -> Image.Image:
    values = np.asarray(band)
    shown = (values >> (bits - 8)).astype(np.uint8)
    key = band.info.get("transparency")
    if isinstance(key, int):
        shown = np.where(values == key, np.uint8(PAGE[0]), shown)
    return Image.fromarray(np.ascontiguousarray(shown))
