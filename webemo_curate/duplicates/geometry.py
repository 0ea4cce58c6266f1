"""Find the similarity transform that lays one picture on another of the same scene."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from webemo_curate.duplicates.cutouts import HUE, cut_out
from webemo_curate.duplicates.difference import SIDE, difference
from webemo_curate.duplicates.local_words import gray_for_sift, sift
from webemo_curate.duplicates.perceptual import reduce_gray
from webemo_curate.duplicates.plain import is_plain, is_simple

KEYPOINTS = 400
DISTINCT = 0.8
"""Lowe's ratio: a match must be this much nearer than the next best."""

TOLERANCE = 3.0
"""Pixels by which a matched keypoint may miss its place."""

SCALES = (0.2, 5.0)
STRETCH, MORE = 1.6, 1.3
"""A transform may stretch so far, if so many times as many keypoints agree on it."""

COLORED = 8
"""Pixels a side of which one color is kept."""

Transform = npt.NDArray[np.float64]
Points = npt.NDArray[np.float32]
Gray = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class View:
    """A picture made ready for matching.

    Attributes
    ----------
    gray
        Gray values, shape (height, width).
    points
        Keypoints x, y in pixels, float32, shape (keypoints, 2).
    descriptors
        float32, shape (keypoints, 128); None for a picture without structure.
    colors
        uint8, RGB, an eighth of the size.
    reduced
        By how much the picture was reduced; 1 for one that is not large.
    few_shapes
        Whether keypoints say little of it; see `plain.is_simple`.
    """

    gray: Gray
    points: npt.NDArray[np.float32]
    descriptors: npt.NDArray[np.float32] | None
    colors: Gray
    reduced: float
    few_shapes: bool


@dataclass(frozen=True)
class Match:
    """How well one picture lies on another.

    Attributes
    ----------
    inliers
        Keypoints that agree on the transform.
    placed
        Their share of all that were matched; 1 where whole frames were laid on one another.
    correlation, agreeing, changed
        How they differ where they overlap; see `difference.Difference`.
    overlap
        Overlapping area as a share of the smaller picture.
    """

    inliers: int
    placed: float
    correlation: float
    overlap: float
    agreeing: float
    changed: float


@dataclass(frozen=True)
class Placement:
    """Where one picture lies on another.

    Attributes
    ----------
    transform
        Of the second's pixels to the first's, in those of the views: float64, shape (2, 3).
    inliers, matched
        Keypoints that agree on it, and all that were matched.
    cut
        What it shows, where one picture was cut out of the other: all pixels agree.
    """

    transform: Transform
    inliers: int
    matched: int
    cut: Match | None = None


NO_MATCH = Match(0, 0.0, 0.0, 0.0, 0.0, 1.0)


def view(picture: Image.Image) -> View:
    """Find a picture's keypoints.

    Parameters
    ----------
    picture : PIL.Image.Image
        Upright RGB.

    Returns
    -------
    View
        For `match`.
    """
    gray = gray_for_sift(picture)
    keypoints, found = sift(KEYPOINTS).detectAndCompute(gray, None)
    descriptors = None if found is None else np.asarray(found, np.float32)
    points = np.array([keypoint.pt for keypoint in keypoints], np.float32).reshape(-1, 2)
    small = max(1, gray.shape[1] // COLORED), max(1, gray.shape[0] // COLORED)
    colors = np.asarray(picture.resize(small, Image.Resampling.BOX))
    square = reduce_gray(picture)[:1]
    few_shapes = bool((is_simple(square) | is_plain(square))[0])
    return View(gray, points, descriptors, colors, gray.shape[1] / picture.width, few_shapes)


def match(first: View, second: View) -> Match:
    """Lay the second picture on the first.

    Parameters
    ----------
    first, second : View
        From `view`.

    Returns
    -------
    Match
        `NO_MATCH` if no transform is found; RANSAC is seeded, so equal pictures give equal results.
        Of pictures of few shapes, cells of `cutouts` that agree count in their place.
    """
    found = placement(first, second)
    if found is None:
        return NO_MATCH
    if found.cut is not None:
        return found.cut
    share = found.inliers / found.matched
    return _laid(first, second, found.transform, found.inliers, share)


def placement(first: View, second: View) -> Placement | None:
    """Find where the second picture lies on the first, by their keypoints, or by all pixels.

    Parameters
    ----------
    first, second : View
        From `view`.

    Returns
    -------
    Placement or None
        None where no sane transform is found.
    """
    if (cut := _cut(first, second)) is not None:
        return cut
    pairs = _matches(first, second)
    if len(pairs) < 4:
        return None
    ours, theirs = first.points[pairs[:, 0]], second.points[pairs[:, 1]]
    transform, agree = _similarity(theirs, ours)
    if transform is None:
        return None
    stretched, more = _stretch(theirs, ours)
    if stretched is not None and more >= MORE * agree:
        transform, agree = stretched, more
    return Placement(transform, agree, len(pairs))


def _cut(first: View, second: View) -> Placement | None:
    """Find where a picture of few shapes was cut out of another, or that one of it."""
    if not (first.few_shapes and second.few_shapes):
        return None
    for whole, part in ((first, second), (second, first)):
        found = cut_out(whole.gray, _as_large(part, whole))
        if found is None or not _colors_agree(whole, part, found.x, found.y):
            continue
        scale = whole.reduced / part.reduced
        laid = np.array([[scale, 0, found.x], [0, scale, found.y]], np.float64)
        if part is first:
            laid = np.asarray(cv2.invertAffineTransform(laid), np.float64)
        share = found.agreeing / found.detailed
        cut = Match(found.agreeing, share, found.correlation, 1.0, share, 0.0)
        return Placement(laid, found.agreeing, found.detailed, cut)
    return None


def _as_large(part: View, whole: View) -> Gray:
    """Return gray values of a picture, reduced by as much as another."""
    if part.reduced == whole.reduced:
        return part.gray
    scale = whole.reduced / part.reduced
    size = max(1, round(part.gray.shape[1] * scale)), max(1, round(part.gray.shape[0] * scale))
    return np.asarray(cv2.resize(part.gray, size, interpolation=cv2.INTER_AREA), np.uint8)


def _colors_agree(whole: View, part: View, x: int, y: int) -> bool:
    """Tell whether the colors of a cut-out are those of its place."""
    scale = whole.reduced / part.reduced
    rows, columns = part.colors.shape[:2]
    moved = np.array([[scale, 0, x / COLORED], [0, scale, y / COLORED]])
    there = cv2.warpAffine(
        whole.colors,
        moved,
        (columns, rows),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return bool(np.abs(there.astype(np.int16) - part.colors).mean() <= HUE)


def match_whole(first: View, second: View) -> Match:
    """Lay the whole second picture on the whole first, whatever their keypoints.

    Parameters
    ----------
    first, second : View
        From `view`.

    Returns
    -------
    Match
        With no inliers.
    """
    (height, width), (rows, columns) = first.gray.shape, second.gray.shape
    transform = np.array([[width / columns, 0, 0], [0, height / rows, 0]], np.float64)
    return _laid(first, second, transform, 0, 1.0)


def _similarity(theirs: Points, ours: Points) -> tuple[Transform | None, int]:
    cv2.setRNGSeed(0)
    found, agree = cv2.estimateAffinePartial2D(
        theirs, ours, method=cv2.RANSAC, ransacReprojThreshold=TOLERANCE
    )
    return _sane(found, agree, 1 + 1e-6)


def _stretch(theirs: Points, ours: Points) -> tuple[Transform | None, int]:
    """Return a transform that may stretch, as pages that squeeze a picture into a box do."""
    cv2.setRNGSeed(0)
    found, agree = cv2.estimateAffine2D(
        theirs, ours, method=cv2.RANSAC, ransacReprojThreshold=TOLERANCE
    )
    return _sane(found, agree, STRETCH)


def _sane(found: Any, agree: Any, stretch: float) -> tuple[Transform | None, int]:
    if found is None:
        return None, 0
    large, small = np.linalg.svd(found[:, :2], compute_uv=False)
    if not (SCALES[0] < small and large < SCALES[1] and large <= stretch * small):
        return None, 0
    return np.asarray(found, np.float64), int(agree.sum())


def _matches(first: View, second: View) -> npt.NDArray[np.int64]:
    """Return matched keypoints, shape (matches, 2)."""
    if first.descriptors is None or second.descriptors is None:
        return np.empty((0, 2), np.int64)
    nearest = cv2.BFMatcher().knnMatch(first.descriptors, second.descriptors, k=2)
    distinct = [
        (pair[0].queryIdx, pair[0].trainIdx)
        for pair in nearest
        if len(pair) == 2 and pair[0].distance < DISTINCT * pair[1].distance
    ]
    return np.array(distinct, np.int64).reshape(-1, 2)


def _laid(first: View, second: View, transform: Transform, inliers: int, placed: float) -> Match:
    """Measure what a placing of the second picture on the first shows, at a reduced size."""
    height, width = first.gray.shape
    reduced = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * reduced)), max(1, round(height * reduced))
    inside = cv2.warpAffine(np.full_like(second.gray, 255), transform, (width, height))
    laid = cv2.warpAffine(second.gray, transform, (width, height))
    ours, theirs, mask = (
        cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
        for plane in (first.gray, laid, inside)
    )
    found = difference(np.asarray(ours), np.asarray(theirs), np.asarray(mask) == 255)
    smaller = min(first.gray.size, second.gray.size * abs(np.linalg.det(transform[:, :2])))
    overlap = float((inside == 255).sum() / smaller)
    return Match(inliers, placed, found.correlation, overlap, found.agreeing, found.changed)
