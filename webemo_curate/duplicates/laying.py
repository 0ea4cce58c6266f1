"""One picture moved to where it lies on another of the same scene, for people to look at."""

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from webemo_curate.duplicates.geometry import Transform, View, placement, view
from webemo_curate.duplicates.perceptual import reduce_gray

MIN_INLIERS = 8
"""Keypoints that must agree: half of what `curate dedup` asks, as near misses are looked at too."""

TRANSPARENT = "RGBA"


def lay_on(first: Image.Image, second: Image.Image) -> Image.Image:
    """Move a picture to where it lies on another, turned into its mirror image if that fits better.

    Parameters
    ----------
    first, second : PIL.Image.Image
        Upright RGB.

    Returns
    -------
    PIL.Image.Image
        The second in the frame of the first: RGBA, transparent where it shows nothing. Without
        keypoints that agree, its whole frame fills the other.
    """
    under, places = view(first), []
    for turned in (second, ImageOps.mirror(second)):
        over = view(turned)
        found = placement(under, over)
        if found is not None and found.inliers >= MIN_INLIERS:
            moved = _in_pixels(found.transform, (first, under), (turned, over))
            places.append((found.inliers, turned, moved))
    if not places:
        return _filling(first, second)
    _, turned, moved = max(places, key=lambda place: place[0])
    pixels = np.asarray(turned.convert(TRANSPARENT))
    laid = cv2.warpAffine(pixels, moved, first.size, flags=cv2.INTER_LINEAR)
    return Image.fromarray(np.asarray(laid, np.uint8), TRANSPARENT)


def _in_pixels(
    transform: Transform, first: tuple[Image.Image, View], second: tuple[Image.Image, View]
) -> Transform:
    """Return a transform between views, which may be smaller, as one between their pictures."""
    grown, shrunk = _growth(*first), 1 / _growth(*second)
    return np.array(np.diag(grown) @ transform @ np.diag([*shrunk, 1.0]))


def _growth(picture: Image.Image, seen: View) -> npt.NDArray[np.float64]:
    height, width = seen.gray.shape
    return np.array([picture.width / width, picture.height / height])


def _filling(first: Image.Image, second: Image.Image) -> Image.Image:
    """Stretch a picture, or its mirror image if that is nearer, over another's frame."""
    ours, (upright, mirrored) = reduce_gray(first)[0].astype(int), reduce_gray(second).astype(int)
    turns = np.abs(mirrored - ours).sum() < np.abs(upright - ours).sum()
    turned = ImageOps.mirror(second) if turns else second
    return turned.resize(first.size, Image.Resampling.BICUBIC).convert(TRANSPARENT)
