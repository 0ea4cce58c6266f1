"""Color profiles in files, applied where what they say differs from sRGB."""

import io
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageCms

from webemo_curate.config import BOUNDS
from webemo_curate.own_faults import raise_other_fault

MODES: Final = {"GRAY": "L", "RGB ": "RGB", "CMYK": "CMYK"}
"""Pillow's mode by what a profile is for (ICC.1, 7.2.6)."""

ALIKE: Final = 2
"""Levels of 255 by which the many profiles that are called sRGB differ from it at most: their
curves are tables of 1,024 values, their colorants rounded."""

STEPS: Final = 9
"""Colors a channel of which it is looked at whether a profile differs from sRGB."""

KEPT: Final = 8
"""Profiles kept ready: a set has few, and a camera's or a printer's costs milliseconds."""


class Profile(NamedTuple):
    """A color profile, ready.

    Attributes
    ----------
    mode
        Pillow's mode of the pixels that it takes: L, RGB or CMYK.
    transform
        From there to sRGB.
    """

    mode: str
    transform: ImageCms.ImageCmsTransform

    def show(self, picture: Image.Image) -> Image.Image:
        """Return a picture of the profile's mode as sRGB."""
        shown = ImageCms.applyTransform(picture, self.transform)
        assert shown is not None  # noqa: S101 - only in place there is none
        return shown


def profile_of(image: Image.Image) -> Profile | None:
    """Return the profile by which a picture's colors are to be shown.

    Parameters
    ----------
    image : PIL.Image.Image
        An open file.

    Returns
    -------
    Profile or None
        None if there is none for pixels of this kind, if it says sRGB, or if it is broken or
        larger than `BOUNDS.profile_bytes`: a bad profile does not condemn a picture.
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
        if mode is None:  # a profile of Lab or of ink names says nothing of these pixels
            return None
        srgb = ImageCms.createProfile("sRGB")
        profile = Profile(mode, ImageCms.buildTransform(stored, srgb, mode, "RGB"))
        return profile if mode == "CMYK" or _differs(profile) else None
    except Exception as error:  # broken profiles raise many kinds
        raise_other_fault(error)
        return None


def _differs(profile: Profile) -> bool:
    """Tell whether a profile shows colors otherwise than sRGB does."""
    levels = np.linspace(0, 255, STEPS).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    grays = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, -1, 3)
    chart = Image.fromarray(np.concatenate([grid, grays], axis=1))
    plain = chart.convert(profile.mode)
    gap = np.asarray(profile.show(plain), np.int16) - np.asarray(plain.convert("RGB"), np.int16)
    return bool(np.abs(gap).max() > ALIKE)
