"""Decoded pixels of any mode as the RGB that a browser's page would show."""

import io
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageFile, TiffImagePlugin

from webemo_curate.system_faults import raise_system_fault

PAGE: Final = (255, 255, 255)
"""Transparent pixels are shown on white, as a browser's page would."""

WIDE_GRAYS: Final = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})
FLOAT_RANGES: Final = (255.0, 65535.0)
"""Largest values of gray levels that were integers before they became floating-point numbers."""

BITS, PHOTOMETRIC, SIGNS, SMALLEST, LARGEST = 258, 262, 339, 340, 341
"""Tags of TIFF 6.0: bits a sample, black or white as 0, kind of number, range of values."""

UNSIGNED: Final = 1
WHITE_IS_ZERO: Final = 0
PNG_DEPTH_AT: Final = 24
"""Place of the bit depth in a PNG file: after signature, length, name, width and height."""

Values = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]


def to_rgb(image: ImageFile.ImageFile, content: bytes) -> Image.Image:
    """Turn a decoded picture into RGB.

    Parameters
    ----------
    image : PIL.ImageFile.ImageFile
        A loaded file or frame of any mode; transparency is laid on white.
    content : bytes
        The file: of a PNG its depth is read, which Pillow does not tell.

    Returns
    -------
    PIL.Image.Image
        Mode RGB, not turned. Integer gray levels keep their high byte, as in browsers; for those
        of floating-point numbers see `_float_levels`.
    """
    if image.mode in WIDE_GRAYS:
        return _wide_to_rgb(image)
    if image.mode == "CMYK":
        return _cmyk_to_rgb(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    if image.mode in ("L", "RGB"):
        return _keyed_to_rgb(image, content)
    return _on_page(image.convert("RGBA"))


def picture_to_rgb(picture: Image.Image) -> Image.Image:
    """Turn a picture in memory, which has no file, into RGB; transparency is laid on white."""
    if picture.has_transparency_data:
        return _on_page(picture.convert("RGBA"))
    return picture.convert("RGB")


def _on_page(layer: Image.Image) -> Image.Image:
    page = Image.new("RGBA", layer.size, (*PAGE, 255))
    return Image.alpha_composite(page, layer).convert("RGB")


def _keyed_to_rgb(image: Image.Image, content: bytes) -> Image.Image:
    """Lay a picture, one of whose colors is transparent, on the page.

    The color is given in the file's own depth (PNG, 11.3.2.1) and Pillow's pixels have 8 bits.
    """
    key = np.atleast_1d(image.info["transparency"])
    depth = content[PNG_DEPTH_AT] if content.startswith(b"\x89PNG") else 8
    levels = key >> 8 if depth == 16 else key * 255 // (2**depth - 1)
    pixels = np.asarray(image).reshape(image.height, image.width, -1)
    clear = (pixels == levels).all(axis=-1, keepdims=True)
    shown = np.where(clear, np.uint8(PAGE[0]), pixels).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(np.broadcast_to(shown, (*shown.shape[:2], 3))))


def _cmyk_to_rgb(image: Image.Image) -> Image.Image:
    """Convert inks by the profile in the file, if it is sound, else as browsers do without one."""
    profile = image.info.get("icc_profile")
    if profile:
        try:
            inks = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            shown = ImageCms.profileToProfile(
                image, inks, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except Exception as error:  # a broken profile does not condemn a picture
            raise_system_fault(error)
        else:
            if shown is not None:
                return shown
    return image.convert("RGB")


def _wide_to_rgb(image: ImageFile.ImageFile) -> Image.Image:
    """Bring gray levels of 16 or 32 bits to 8, keeping their contrast."""
    tags = _tags(image)
    values = np.asarray(image)
    levels = _float_levels(values, tags) if image.mode == "F" else _integer_levels(values, tags)
    if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:
        levels = 255 - levels
    key = image.info.get("transparency")
    if isinstance(key, int):
        levels = np.where(values == key, np.uint8(PAGE[0]), levels)
    return Image.fromarray(np.ascontiguousarray(levels)).convert("RGB")


def _tags(image: ImageFile.ImageFile) -> dict[int, Any]:
    """Return the tags of a TIFF file that say what its numbers mean; none of other files."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return {}
    wanted = (BITS, PHOTOMETRIC, SIGNS, SMALLEST, LARGEST)
    found = {tag: image.tag_v2.get(tag) for tag in wanted}
    return {tag: v[0] if isinstance(v, tuple) and v else v for tag, v in found.items()}


def _integer_levels(values: Values, tags: dict[int, Any]) -> Bytes:
    """Keep the highest 8 bits of the full range of the numbers' type."""
    if values.dtype.itemsize == 2:
        return (values >> (int(tags.get(BITS) or 16) - 8)).astype(np.uint8)
    bits = 16 if tags.get(BITS) == 16 else 32
    # Pillow hands out 32 bits as signed; those of an unsigned file mean what their bits say.
    unsigned = values.view(np.uint32)
    if tags.get(SIGNS, UNSIGNED) != UNSIGNED:
        unsigned = unsigned + np.uint32(1 << (bits - 1))
    return (unsigned >> np.uint32(bits - 8)).astype(np.uint8)


def _float_levels(values: Values, tags: dict[int, Any]) -> Bytes:
    """Bring floating-point levels to 8 bits by the range that the file states, else by their own.

    Without a stated range, values within 0 and 1 keep these as black and white; so do values of 0
    to 255, or 65535, that use more than half of it; else the least and the largest value are black
    and white. What is no number is black.
    """
    finite = values[np.isfinite(values)].astype(np.float64)
    low, high = _stated_range(tags) or _float_range(finite)
    with np.errstate(over="ignore"):
        scaled = (values.astype(np.float64) - low) * (255 / (high - low))
    return np.nan_to_num(scaled, posinf=255, neginf=0).clip(0, 255).round().astype(np.uint8)


def _stated_range(tags: dict[int, Any]) -> tuple[float, float] | None:
    low, high = tags.get(SMALLEST), tags.get(LARGEST)
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return None
    return (float(low), float(high)) if np.isfinite([low, high]).all() and low < high else None


def _float_range(finite: Values) -> tuple[float, float]:
    """Return the values that become black and white."""
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    for white in FLOAT_RANGES:
        if low >= 0 and white / 2 < high <= white:
            return 0.0, white
    return (low, high) if low < high else (low - 1, low + 1)
