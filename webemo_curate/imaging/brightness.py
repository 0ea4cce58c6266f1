"""Quantiles of perceived brightness, as in cleanvision 0.3.7, computed in whole numbers."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from webemo_curate.imaging.pixel_words import Words

WEIGHTS: Final = (241, 691, 68)
"""Weights of the squares of red, green and blue in a pixel's perceived brightness, in thousandths
(the HSP color model, http://alienryderflex.com/hsp.html, as rounded by cleanvision)."""

WHITE: Final = 1000.0 * 255 * 255
"""The weighted sum of squares of a white pixel."""

STRIP_PIXELS: Final = 32_768
"""Pixels computed at once, so that their values stay in a core's cache."""


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
    found = ranked(_weighted_squares(pixels), ranks)
    roots = {rank: math.sqrt(square / WHITE) for rank, square in found.items()}
    bounds = [(roots[math.floor(place)], roots[math.ceil(place)]) for place in places]
    return [
        under + (over - under) * (place - math.floor(place))
        for place, (under, over) in zip(places, bounds, strict=True)
    ]


def _weighted_squares(pixels: Words) -> Words:
    """Return the weighted sum of each pixel's squared channels, at most `WHITE`."""
    flat = pixels.ravel()
    sums, spare = np.empty(len(flat), np.uint32), np.empty(STRIP_PIXELS, np.uint32)
    for start in range(0, len(flat), STRIP_PIXELS):
        strip, sum_ = flat[start : start + STRIP_PIXELS], sums[start : start + STRIP_PIXELS]
        term = spare[: len(strip)]
        for channel, weight in enumerate(WEIGHTS):
            into = term if channel else sum_
            np.right_shift(strip, 8 * channel, out=into)
            into &= 255
            into *= into
            into *= weight
            if channel:
                sum_ += term
    return sums


def ranked(values: Words, ranks: Iterable[int]) -> dict[int, int]:
    """Return the values at given ranks; reorders `values`.

    One rank at a time: NumPy uses the processor's vector instructions for one rank, not for
    several.

    Parameters
    ----------
    values : ndarray of uint32, shape (N,)
        Any.
    ranks : iterable of int
        Ranks, 0 for the smallest value.

    Returns
    -------
    dict of int to int
        The value at each rank.
    """
    found, end = {}, len(values)
    for rank in sorted(ranks, reverse=True):
        head = values[:end]  # the smallest values
        if rank == end - 1:
            found[rank] = int(head.max())
            continue
        head.partition(rank)
        found[rank], end = int(head[rank]), rank
    return found
