"""Convert decoded pixels of any mode to RGB, as a browser shows them on a page."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import BmpImagePlugin, Image, ImageFile, TiffImagePlugin

from webemo_curate.imaging.bands import BAND_PIXELS, bands
from webemo_curate.imaging.profiles import Profile, profile_of

PAGE: Final = (255, 255, 255)
"""Transparent pixels are shown on white, as on a browser's page."""

WIDE_GRAYS: Final = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})
FLOAT_RANGES: Final = (255.0, 65535.0)
"""Largest values of floating-point gray levels that were integers originally."""

BITS, PHOTOMETRIC, SIGNS, SMALLEST, LARGEST = 258, 262, 339, 340, 341
"""Tags of TIFF 6.0: bits per sample, photometric interpretation, sample format, range of values."""

UNSIGNED, SIGNED = 1, 2
WHITE_IS_ZERO: Final = 0
PNG_DEPTH_AT: Final = 24
"""Offset of the bit depth in a PNG file: after signature, length, chunk type, width and height."""

Values = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]

SIMPLE: Final = frozenset({"1", "L", "P", "RGB", "YCbCr"})
"""Modes that Pillow converts to RGB without temporary memory."""


class Levels(NamedTuple):
    """Describes how gray levels of more than 8 bits, or signed ones, become 8 bits.

    Attributes
    ----------
    bring
        Converts an array of values to 8-bit levels.
    tags
        The tags of a TIFF file that define its values.
    """

    bring: Callable[[Values], Bytes]
    tags: dict[int, Any]


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
        In mode RGB and sRGB, not turned. Integer gray levels keep their high byte, as in browsers;
        for floating-point levels see `_float_levels`.
    """
    profile = profile_of(image)
    if image.mode in WIDE_GRAYS or _is_signed(image):
        levels = _levels_of(image)
        return _by_bands(image, lambda band: _show(_wide_to_gray(band, levels), profile))
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


def _is_signed(image: ImageFile.ImageFile) -> bool:
    """Return whether gray levels of 8 bits are signed, which Pillow does not tell in the mode."""
    return image.mode == "L" and _tags(image).get(SIGNS) == SIGNED


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


def _levels_of(image: ImageFile.ImageFile) -> Levels:
    """Return how gray levels of 16 or 32 bits become 8 bits, with their contrast kept."""
    tags = _tags(image)
    if image.mode == "F":
        low, high = _stated_range(tags) or _float_range(image)
        return Levels(lambda values: _float_levels(values, low, high), tags)
    return Levels(lambda values: _integer_levels(values, tags), tags)


def _wide_to_gray(band: Image.Image, levels: Levels) -> Image.Image:
    values = np.asarray(band)
    shown = levels.bring(values)
    if levels.tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:
        shown = 255 - shown
    key = band.info.get("transparency")
    if isinstance(key, int):
        shown = np.where(values == key, np.uint8(PAGE[0]), shown)
    return Image.fromarray(np.ascontiguousarray(shown))


def _tags(image: ImageFile.ImageFile) -> dict[int, Any]:
    """Return the tags of a TIFF file that define its values; empty for other files."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return {}
    wanted = (BITS, PHOTOMETRIC, SIGNS, SMALLEST, LARGEST)
    found = {tag: image.tag_v2.get(tag) for tag in wanted}
    return {tag: v[0] if isinstance(v, tuple) and v else v for tag, v in found.items()}


def _integer_levels(values: Values, tags: dict[int, Any]) -> Bytes:
    """Keep the highest 8 bits of the full range of the integer type."""
    if values.dtype.itemsize == 1:  # signed; see `_is_signed`
        return values ^ np.uint8(0x80)
    if values.dtype.itemsize == 2:
        return (values >> (int(tags.get(BITS) or 16) - 8)).astype(np.uint8)
    bits = 16 if tags.get(BITS) == 16 else 32
    # Pillow returns 32-bit values as signed; in an unsigned file the same bits are unsigned.
    unsigned = values.view(np.uint32)
    if tags.get(SIGNS, UNSIGNED) != UNSIGNED:
        unsigned = unsigned + np.uint32(1 << (bits - 1))
    return (unsigned >> np.uint32(bits - 8)).astype(np.uint8)


def _float_levels(values: Values, low: float, high: float) -> Bytes:
    """Convert floating-point levels to 8 bits; NaN becomes black."""
    with np.errstate(over="ignore"):
        scaled = (values.astype(np.float64) - low) * (255 / (high - low))
    return np.nan_to_num(scaled, posinf=255, neginf=0).clip(0, 255).round().astype(np.uint8)


def _stated_range(tags: dict[int, Any]) -> tuple[float, float] | None:
    low, high = tags.get(SMALLEST), tags.get(LARGEST)
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return None
    return (float(low), float(high)) if np.isfinite([low, high]).all() and low < high else None


def _float_range(image: Image.Image) -> tuple[float, float]:
    """Return the values shown as black and white, for a picture that does not state them.

    Values within 0 and 1 keep this range. So do values within 0 and 255, or 0 and 65535, if they
    use more than half of it. Otherwise the range is that of the values themselves.
    """
    low, high = _extremes(image)
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    for white in FLOAT_RANGES:
        if low >= 0 and white / 2 < high <= white:
            return 0.0, white
    return (low, high) if low < high else (low - 1, low + 1)


def _extremes(image: Image.Image) -> tuple[float, float]:
    """Return the smallest and largest finite value of a picture; 0 and 1 if there is none."""
    found: list[float] = []
    for _, band in bands(image):
        values = np.asarray(band)
        finite = values[np.isfinite(values)]
        found += [float(finite.min()), float(finite.max())] if finite.size else []
    return (min(found), max(found)) if found else (0.0, 1.0)
