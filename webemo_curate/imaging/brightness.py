"""Quantiles of perceived brightness, as in cleanvision 0.3.7, computed in whole numbers."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from webemo_curate.imaging.pixel_words import Words

WEIGHTS: Final = (241, 691, 68)
"""Weights of the squares of red, green and blue in a pixel's perceived brightness, in thousandths
(the HSP color model, http://alienryderflex.com/hsp.html, as rounded by cleanvision)."""

WHITE: Final = 1000.0 * 255 * 255
"""The weighted sum of squares of a white pixel."""

STRIP_PIXELS: Final = 65_536
"""Pixels computed at once, so that their values stay in a core's cache."""

DIGITS: Final = (18, 10, 2, 0)
"""Lowest bits of the digits, of 8 bits each, by which ranks are found: 26 bits hold `WHITE`."""

SORTED: Final = 8_192
"""Values that are sorted outright, which takes no longer than to count their next digit."""

Digits = npt.NDArray[np.uint8]


def brightness(pixels: Words, parts: Sequence[float]) -> list[float]:
    """Return quantiles of the pixels' perceived brightness, interpolated as in NumPy's percentile.

    Parameters
    ----------
    pixels : ndarray of uint32, shape (H, W)
        See `Words`.
    parts : sequence of float
        The quantiles, 0 to 1.

    Returns
    -------
    list of float
        Brightness, 0 to 1: the root of the weighted mean of the squared channels.
    """
    places = [part * (pixels.size - 1) for part in parts]
    ranks = {bound for place in places for bound in (math.floor(place), math.ceil(place))}
    found = _ranked(pixels.ravel(), ranks)
    roots = {rank: math.sqrt(square / WHITE) for rank, square in found.items()}
    bounds = [(roots[math.floor(place)], roots[math.ceil(place)]) for place in places]
    return [
        under + (over - under) * (place - math.floor(place))
        for place, (under, over) in zip(places, bounds, strict=True)
    ]


def _ranked(pixels: Words, ranks: Iterable[int], level: int = 0) -> dict[int, int]:
    """Return the weighted squares at given ranks, found by counting digits from the highest.

    Only pixels whose digit is that of a rank are looked at again, a twentieth in most pictures, so
    that nothing but their digits need be kept: memory that is fresh for each picture would take
    longer than the sums.

    Parameters
    ----------
    pixels : ndarray of uint32, shape (N,)
        See `Words`; equal in the digits before `level`.
    ranks : iterable of int
        Ranks, 0 for the smallest value.
    level : int
        Index in `DIGITS`.

    Returns
    -------
    dict of int to int
        The value at each rank.
    """
    if len(pixels) <= SORTED or level == len(DIGITS):
        ordered = np.sort(_weighted_squares(pixels, np.empty_like(pixels)))
        return {rank: int(ordered[rank]) for rank in ranks}
    digits = _digits(pixels, DIGITS[level])
    ends = [*accumulate(_counts(digits))]
    wanted: dict[int, list[int]] = {}
    for rank in ranks:
        wanted.setdefault(bisect_right(ends, rank), []).append(rank)
    found: dict[int, int] = {}
    for digit, inside in wanted.items():
        below = ends[digit - 1] if digit else 0
        deeper = _ranked(pixels[digits == digit], [rank - below for rank in inside], level + 1)
        found |= {rank + below: value for rank, value in deeper.items()}
    return found


def _digits(pixels: Words, shift: int) -> Digits:
    """Return 8 bits of each pixel's weighted square, from bit `shift` on."""
    digits, spare = np.empty(len(pixels), np.uint8), np.empty(STRIP_PIXELS, np.uint32)
    for start in range(0, len(pixels), STRIP_PIXELS):
        strip = pixels[start : start + STRIP_PIXELS]
        sums = _weighted_squares(strip, spare[: len(strip)])
        sums >>= shift
        digits[start : start + STRIP_PIXELS] = sums
    return digits


def _weighted_squares(pixels: Words, sums: Words) -> Words:
    """Return the weighted sum of each pixel's squared channels, at most `WHITE`, in `sums`."""
    term = np.empty_like(sums)
    for channel, weight in enumerate(WEIGHTS):
        into = term if channel else sums
        np.right_shift(pixels, 8 * channel, out=into)
        into &= 255
        into *= into
        into *= weight
        if channel:
            sums += term
    return sums


def _counts(digits: Digits) -> list[int]:
    """Count each of 256 values; Pillow does it without the 64-bit copy that NumPy makes."""
    return Image.frombuffer("L", (len(digits), 1), digits).histogram()
