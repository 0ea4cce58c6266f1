"""Whether two pictures show the same scene: a similarity transform that lays one on the other."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from webemo_curate.duplicates.features import gray_for_sift, sift

KEYPOINTS = 400
DISTINCT = 0.8
"""Lowe's ratio: a match must be this much nearer than the next best."""

TOLERANCE = 3.0
"""Pixels by which a matched keypoint may miss its place."""

SCALES = (0.2, 5.0)
SMALLEST_AREA = 200
"""Pixels of overlap below which a correlation says nothing."""

COVERED = 0.2
"""Share of the overlap that may be written or drawn over: the worst-fitting pixels do not count."""

CONCENTRATIONS = 3
"""Steps of the robust fit: captions are found in two."""

LEVELS = 1.0
"""Standard deviation in grey levels below which an overlap is blank."""

Gray = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class View:
    """A picture made ready for matching.

    Attributes
    ----------
    gray
        Grey values, shape (height, width).
    points
        Keypoints x, y in pixels, float32, shape (keypoints, 2).
    descriptors
        float32, shape (keypoints, 128); None for a picture without structure.
    """

    gray: Gray
    points: npt.NDArray[np.float32]
    descriptors: npt.NDArray[np.float32] | None


@dataclass(frozen=True)
class Match:
    """How well one picture lies on another.

    Attributes
    ----------
    inliers
        Keypoints that agree on the transform.
    correlation
        Pearson's, of the grey values where the pictures overlap, without the `COVERED` share that
        fits worst; 0 if they do not overlap.
    overlap
        Overlapping area as a share of the smaller picture.
    """

    inliers: int
    correlation: float
    overlap: float


NO_MATCH = Match(0, 0.0, 0.0)


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
    return View(gray, points, descriptors)


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
    """
    pairs = _matches(first, second)
    if len(pairs) < 4:
        return NO_MATCH
    cv2.setRNGSeed(0)
    transform, agree = cv2.estimateAffinePartial2D(
        second.points[pairs[:, 1]],
        first.points[pairs[:, 0]],
        method=cv2.RANSAC,
        ransacReprojThreshold=TOLERANCE,
    )
    if transform is None:
        return NO_MATCH
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    if not SCALES[0] < scale < SCALES[1]:
        return NO_MATCH
    correlation, area = _correlate(first.gray, second.gray, np.asarray(transform, np.float64))
    smaller = min(first.gray.size, second.gray.size * scale**2)
    return Match(int(agree.sum()), correlation, area / smaller)


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


def _correlate(first: Gray, second: Gray, transform: npt.NDArray[np.float64]) -> tuple[float, int]:
    size = (first.shape[1], first.shape[0])
    laid = cv2.warpAffine(second, transform, size)
    inside = cv2.warpAffine(np.full_like(second, 255), transform, size) == 255
    area = int(inside.sum())
    ours, theirs = first[inside].astype(np.float64), laid[inside].astype(np.float64)
    if area < SMALLEST_AREA or min(ours.std(), theirs.std()) < LEVELS:
        return 0.0, area
    kept = _best_fitting(ours, theirs)
    if min(ours[kept].std(), theirs[kept].std()) < LEVELS:
        return 0.0, area
    return float(np.corrcoef(ours[kept], theirs[kept])[0, 1]), area


def _best_fitting(
    ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Return positions of the pixels nearest to one linear relation of the grey values.

    Least trimmed squares by concentration steps (Rousseeuw and Van Driessen, "Computing LTS
    Regression for Large Data Sets", Data Mining and Knowledge Discovery 12, 2006), from all pixels.
    """
    keep = round(ours.size * (1 - COVERED))
    chosen = np.arange(ours.size)
    for _ in range(CONCENTRATIONS):
        x, y = theirs[chosen], ours[chosen]
        slope = np.cov(x, y)[0, 1] / max(x.var(), LEVELS)
        residual = np.abs(ours - y.mean() - slope * (theirs - x.mean()))
        chosen = np.argpartition(residual, keep - 1)[:keep]
    return chosen
