"""Read TIFF files of any numbers: 8 to 64 bits, signed, floating-point, in planes or together."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final, cast

import numpy as np
from PIL import Image, TiffImagePlugin
from PIL.ExifTags import Base

from webemo_curate.imaging.tiff_samples import (
    ALPHA,
    LAB,
    PREMULTIPLIED,
    Bands,
    Bytes,
    TiffSamples,
    Values,
    samples_of,
)

FLOAT_RANGES: Final = (255.0, 65535.0)
"""Largest values of floating-point levels that were integers originally."""

SMALLEST, LARGEST, PROFILE = 340, 341, 34675
"""Tags of TIFF 6.0, and of ICC profiles: range of values, color profile."""

WHITE_IS_ZERO: Final = 0
LYING: Final = (5, 6, 7, 8)
"""Orientations whose width is the stored height."""

MODES: Final = {1: "L", 3: "RGB", 4: "CMYK"}


class DeepTiffFile(TiffImagePlugin.TiffImageFile):
    """A TIFF file; what Pillow does not read is brought to 8 bits a sample when it is loaded."""

    _samples: TiffSamples | None = None
    _stated: tuple[float, float] | None = None

    def _setup(self) -> None:
        """Leave to Pillow what it reads rightly: unsigned bytes, all of a pixel together."""
        samples = samples_of(self.tag_v2, big=self.tag_v2.prefix == b"MM")
        if samples is None or samples.plain:
            try:
                super()._setup()
            except SyntaxError:  # Pillow knows no such layout
                if samples is None:
                    raise
            else:
                return
        self._prepare(samples)

    def _prepare(self, samples: TiffSamples) -> None:
        """Set what Pillow sets before a file is loaded."""
        self._samples, self._tile_size = samples, samples.size
        self._stated = _stated_range(self.tag_v2)
        lying = self.tag_v2.get(Base.Orientation) in LYING
        self._size = samples.size[::-1] if lying else samples.size
        self._mode = _mode(samples)
        self.tile, self.use_load_libtiff, self.palette = [], False, None
        if PROFILE in self.tag_v2:
            self.info["icc_profile"] = self.tag_v2[PROFILE]

    def load(self) -> Any:
        """Decode the pixels; raises the errors of `TiffSamples.bands`."""
        samples, self._samples = self._samples, None
        if samples is not None:
            picture = _picture(samples, cast("BytesIO", self.fp).getvalue(), self._stated)
            self.im, self._size, self.readonly = picture.im, picture.size, 0
            self.load_end()
        return super().load()


def _mode(samples: TiffSamples) -> str:
    if samples.photometric == LAB:
        return "LAB"
    mode = MODES[samples.colors]
    return mode + "A" * (mode != "CMYK" and _alpha(samples) is not None)


def _alpha(samples: TiffSamples) -> int | None:
    """Return which sample is opacity; a fourth of RGB is, where the file does not say."""
    for place, meaning in enumerate(samples.extra[: samples.count - samples.colors]):
        if meaning in (PREMULTIPLIED, ALPHA):
            return samples.colors + place
    unstated = not samples.extra and samples.colors == 3 and samples.count == 4
    return samples.colors if unstated else None


def _picture(
    samples: TiffSamples, content: bytes, stated: tuple[float, float] | None
) -> Image.Image:
    """Decode a picture, with 8 bits a sample."""
    each = samples.bands(content)
    mode, alpha = _mode(samples), _alpha(samples)
    black, white = 0.0, 1.0
    if samples.kind == "f":
        black, white = stated or _float_range(samples, each)
    multiplied = alpha is not None and PREMULTIPLIED in samples.extra
    whole = Image.new(mode, samples.size)
    for top, values in each():
        shown = _to_bytes(samples, values[..., : samples.colors], black, white)
        if samples.photometric == WHITE_IS_ZERO:
            shown = 255 - shown
        if alpha is not None and mode.endswith("A"):
            # Opacity goes from 0 to what colors are at most, or to 1 beside colors of other ranges.
            most = 1.0 if black else white
            opacity = _to_bytes(samples, values[..., alpha : alpha + 1], 0.0, most)
            shown = _divided(shown, opacity) if multiplied else shown
            shown = np.concatenate([shown, opacity], axis=-1)
        size = values.shape[1::-1]
        whole.paste(Image.frombytes(mode, size, np.ascontiguousarray(shown).tobytes()), (0, top))
    return whole


def _divided(colors: Bytes, opacity: Bytes) -> Bytes:
    """Divide colors by the opacity that they were multiplied by."""
    by = np.maximum(opacity, 1).astype(np.uint16)
    return np.minimum(colors.astype(np.uint16) * 255 // by, 255).astype(np.uint8)


def _to_bytes(samples: TiffSamples, values: Values, black: float, white: float) -> Bytes:
    """Bring numbers to 8 bits: whole ones keep the highest 8 of their type."""
    if samples.kind == "f":
        return _float_levels(values, black, white)
    whole = np.dtype(f"u{samples.depth}")
    high = (values.view(whole) >> whole.type(8 * samples.depth - 8)).astype(np.uint8)
    return high ^ np.uint8(0x80 if samples.kind == "i" else 0)


def _float_levels(values: Values, low: float, high: float) -> Bytes:
    """Convert floating-point levels to 8 bits; NaN becomes black."""
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = (values.astype(np.float64) - low) * (255 / (high - low))
    return np.nan_to_num(scaled, posinf=255, neginf=0).clip(0, 255).round().astype(np.uint8)


def _stated_range(tags: Mapping[int, Any]) -> tuple[float, float] | None:
    """Return the values that a file states as the least and largest."""
    found = [tags.get(tag) for tag in (SMALLEST, LARGEST)]
    low, high = (each[0] if isinstance(each, tuple) and each else each for each in found)
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return None
    return (float(low), float(high)) if np.isfinite([low, high]).all() and low < high else None


def _float_range(samples: TiffSamples, each: Bands) -> tuple[float, float]:
    """Return the values shown as black and white, for a picture that does not state them.

    Values within 0 and 1 keep this range. So do values within 0 and 255, or 0 and 65535, if they
    use more than half of it. Otherwise the range is that of the values themselves.
    """
    low, high = _extremes(samples, each)
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    for white in FLOAT_RANGES:
        if low >= 0 and white / 2 < high <= white:
            return 0.0, white
    return (low, high) if low < high else (low - 1, low + 1)


def _extremes(samples: TiffSamples, each: Bands) -> tuple[float, float]:
    """Return the smallest and largest finite color of a picture; 0 and 1 if there is none."""
    found: list[float] = []
    for _, values in each():
        colors = values[..., : samples.colors]
        finite = colors[np.isfinite(colors)]
        found += [float(finite.min()), float(finite.max())] if finite.size else []
    return (min(found), max(found)) if found else (0.0, 1.0)
