"""Measure how much a box's pixels repeat along it, as those of fences and chains do."""

import numpy as np
from numpy.typing import NDArray

HEIGHT = 24
"""Height in pixels to which a crop is scaled down: links and bars are still separate."""

FINE = HEIGHT / 4
"""Standard deviation, in pixels, of the blur that is subtracted to remove light and shade."""

FAINT = 0.5
"""Standard deviation, in gray levels, below which there is no structure that could repeat."""

NEAREST, FARTHEST, WITHIN = 2, 2.2, 0.6
"""Shifts that are tried: from this many pixels to this many heights of the box, but at most this
share of its length."""


def periodicity(crop: NDArray[np.uint8]) -> float:
    """Return how much a crop resembles itself, shifted along its length.

    Parameters
    ----------
    crop : numpy.ndarray
        uint8, (height, width, 3), with the text along the width.

    Returns
    -------
    float
        0 to 1: the largest correlation of the pixels, without their local mean, with those a shift
        away, over all shifts from the first at which the correlation rises again. 0 if it never
        rises, or the crop is too short. Words seldom reach .6; a fence reaches .7 to .9.
    """
    columns = _fine_structure(crop)
    length = columns.shape[1]
    shifts = np.arange(NEAREST, int(min(FARTHEST * HEIGHT, WITHIN * length)))
    alike = _correlations(columns, shifts)
    rises = np.flatnonzero(np.diff(alike) > 0)
    return float(np.clip(alike[rises[0] :].max(), 0, 1)) if len(rises) else 0.0


def _fine_structure(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a crop's rows, all colors stacked, without light and shade."""
    import cv2

    length = max(1, round(crop.shape[1] * HEIGHT / crop.shape[0]))
    small = cv2.resize(crop, (length, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)
    small -= cv2.GaussianBlur(small, (0, 0), FINE)
    return np.asarray(small.transpose(0, 2, 1).reshape(-1, length), np.float32)


def _correlations(columns: NDArray[np.float32], shifts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Correlate rows with themselves at each shift, over the overlap (Wiener and Khinchin)."""
    length = columns.shape[1]
    power = (np.abs(np.fft.rfft(columns, 2 * length, axis=1)) ** 2).sum(axis=0)
    products = np.fft.irfft(power)[shifts]
    energy = np.concatenate([[0.0], np.cumsum((columns**2).sum(axis=0, dtype=np.float64))])
    both = energy[length - shifts] * (energy[length] - energy[shifts])
    flat = FAINT**2 * len(columns) * (length - shifts)
    alike: NDArray[np.float64] = products / np.maximum(np.sqrt(both), flat)
    return alike
