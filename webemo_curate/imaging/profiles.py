"""Apply the color profiles of files where they differ from sRGB."""

import io
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageCms

from webemo_curate.config import BOUNDS
from webemo_curate.own_faults import raise_other_fault

MODES: Final = {"GRAY": "L", "RGB ": "RGB", "CMYK": "CMYK"}
"""Pillow's mode by the profile's data color space (ICC.1, 7.2.6)."""

ALIKE: Final = 2
"""Largest difference, in levels of 255, between sRGB and the many profiles that call themselves
sRGB: their curves are tables of 1,024 values, and their colorants are rounded."""

STEPS: Final = 9
"""Colors a channel at which a profile is compared with sRGB."""

KEPT: Final = 8
"""Profiles kept in memory. A set has few, and building a camera's or printer's takes
milliseconds."""


class Profile(NamedTuple):
    """A color profile, ready for use.

    Attributes
    ----------
    mode
        Pillow's mode of the pixels that it accepts: L, RGB or CMYK.
    transform
        The transform from that mode to sRGB.
    """

    mode: str
    transform: ImageCms.ImageCmsTransform

    def show(self, picture: Image.Image) -> Image.Image:
        """Convert a picture of the profile's mode to sRGB."""
        shown = ImageCms.applyTransform(picture, self.transform)
        assert shown is not None  # noqa: S101 - only in place there is none
        return shown


def profile_of(image: Image.Image) -> Profile | None:
    """Return the color profile to apply to a picture.

    Parameters
    ----------
    image : PIL.Image.Image
        An open file.

    Returns
    -------
    Profile or None
        None if there is none for pixels of this mode, if it equals sRGB, or if it is broken or
        larger than `BOUNDS.profile_bytes`: a bad profile does not make the picture unusable.
    """
    content = image.info.get("icc_profile")
    if not isinstance(content, bytes) or not 0 < len(content) <= BOUNDS.profile_bytes:
        return None
    profile = _ready(content)
    if profile is None or (profile.mode == "CMYK") != (image.mode == "CMYK"):
        return None
    gray = Image.getmodebase(image.mode) == "L"
    return None if profile.mode == "L" and not gray else profile


@lru_cache(KEPT)
def _ready(content: bytes) -> Profile | None:
    try:
        stored = ImageCms.ImageCmsProfile(io.BytesIO(content))
        mode = MODES.get(stored.profile.xcolor_space)
        if mode is None:  # a profile of Lab or of inks does not apply to these pixels
            return None
        srgb = ImageCms.createProfile("sRGB")
        profile = Profile(mode, ImageCms.buildTransform(stored, srgb, mode, "RGB"))
        return profile if mode == "CMYK" or _differs(profile) else None
    except Exception as error:  # broken profiles raise many kinds
        raise_other_fault(error)
        return None


def _differs(profile: Profile) -> bool:
    """Return whether a profile shows colors differently from sRGB."""
    levels = np.linspace(0, 255, STEPS).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    grays = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, -1, 3)
    chart = Image.fromarray(np.concatenate([grid, grays], axis=1))
    plain = chart.convert(profile.mode)
    gap = np.asarray(profile.show(plain), np.int16) - np.asarray(plain.convert("RGB"), np.int16)
    return bool(np.abs(gap).max() > ALIKE)
