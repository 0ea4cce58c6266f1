"""Pictures of which a hash says little: flat ones, and those whose hash noise would change.

A bit of a perceptual hash says on which side of their median a frequency lies. Where most of them
lie at the median, as in one color or a gradient, a copy gets another hash and a stranger the same.
Such pictures are held against each other by their gray values.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from webemo_curate.duplicates.grays import Grays, Indices, resemblance
from webemo_curate.duplicates.hash_keys import Hashes
from webemo_curate.duplicates.perceptual import HASH_SIDE
from webemo_curate.imaging.structure import MIN_DEVIATION, REDUCED_SIDE

NOISE: Final = 40.0
"""Change of a DCT coefficient by re-coding: 64 times the deviation of a reduced gray value, 0.6."""

LOOSE: Final = 12
"""Bits of 64 within `NOISE` of their median, from which a hash is not relied on alone."""

REACH: Final = 3.0
"""Gray levels by which the means and the deviations of copies differ at most."""

FAINT: Final = 0.4
FAINT_CORRELATION: Final = 0.5
"""Standard deviation of gray values from which flat pictures show something faint all the same, as
the stars of a black sky are, and the correlation that copies then have: of drawn ones .92 or more,
of different skies .05 or less."""

STEP: Final = 4
FEW_SHAPES: Final = 0.06
"""A picture is of few shapes if fewer of its reduced gray values differ from both the next to the
right and the next below by more than `STEP` levels: 5 of 1,075 photos; 1 % have under .116.
Horizons, night skies and gradients with a figure have .04 or less."""

BLOCK: Final = 2**14
Mask = npt.NDArray[np.bool_]


def is_flat(grays: Grays) -> Mask:
    """Tell which reduced pictures show nothing; shape (n,)."""
    return np.asarray(grays.std((1, 2), dtype=np.float32) < MIN_DEVIATION)


def is_plain(grays: Grays) -> Mask:
    """Tell which pictures are flat, or of so little structure that noise changes their hash.

    Parameters
    ----------
    grays : ndarray of uint8, shape (n, 32, 32)
        Reduced pictures.

    Returns
    -------
    ndarray of bool, shape (n,)
        In their order; memory is bounded by blocks.
    """
    return _by_blocks(grays, _plain)


def _by_blocks(grays: Grays, tell: Callable[[Grays], Mask]) -> Mask:
    blocks = [tell(grays[start : start + BLOCK]) for start in range(0, len(grays), BLOCK)]
    return np.concatenate([np.zeros(0, bool), *blocks])


def _plain(grays: Grays) -> Mask:
    from scipy.fft import dct

    columns = dct(grays.astype(np.float32), axis=1)[:, :HASH_SIDE]
    low = dct(columns, axis=2)[:, :, :HASH_SIDE].reshape(-1, HASH_SIDE**2)
    near = np.abs(low - np.median(low, axis=1, keepdims=True)) < NOISE
    return np.asarray((near.sum(1) >= LOOSE) | is_flat(grays))


def is_simple(grays: Grays) -> Mask:
    """Tell which pictures are of few shapes, so that others share all that their gray values say.

    Parameters
    ----------
    grays : ndarray of uint8, shape (n, 32, 32)
        Reduced pictures.

    Returns
    -------
    ndarray of bool, shape (n,)
        In their order; memory is bounded by blocks.
    """
    return _by_blocks(grays, _simple)


def _simple(grays: Grays) -> Mask:
    values = grays.astype(np.int16)
    right = np.abs(np.diff(values, axis=2))[:, :-1] > STEP
    below = np.abs(np.diff(values, axis=1))[:, :, :-1] > STEP
    return np.asarray((right & below).mean((1, 2)) < FEW_SHAPES)


def first_alike(grays: Grays, colors: Grays) -> Indices:
    """Find for each picture the first that is reduced to the same gray values and mean colors.

    Many files of one white square make so no more pairs than there are files.

    Parameters
    ----------
    grays : ndarray of uint8, shape (n, 32, 32)
        Of the pictures.
    colors : ndarray of uint8, shape (n, 4, 4, 3)
        Their mean colors.

    Returns
    -------
    ndarray of int64, shape (n,)
        Positions; a picture's own if it is the first.
    """
    if not len(grays):
        return np.zeros(0, np.int64)
    sides = [part.reshape(len(part), -1) for part in (grays, colors)]
    values = np.ascontiguousarray(np.concatenate(sides, axis=1))
    whole = values.view(np.dtype((np.void, values.shape[1]))).ravel()
    _, first, home = np.unique(whole, return_index=True, return_inverse=True)
    return np.asarray(first[home], np.int64)


def faintly_alike(grays: Grays, first: Indices, second: Indices) -> Mask:
    """Tell of pairs of flat pictures whether what they show faintly agrees, if both show anything.

    Parameters
    ----------
    grays : ndarray of uint8, shape (n, 32, 32)
        Of every picture.
    first, second : ndarray of int64, shape (pairs,)
        Positions.

    Returns
    -------
    ndarray of bool, shape (pairs,)
        True where one shows nothing.
    """
    seen = resemblance(grays, first, second, np.zeros(len(first), bool))
    rows, place = np.unique(np.stack([first, second]), return_inverse=True)
    deviation = grays[rows].std((1, 2), dtype=np.float32)[place.reshape(2, -1)].min(0)
    return np.asarray((deviation < FAINT) | (seen.correlation >= FAINT_CORRELATION))


def plain_pairs(grays: Grays, rows: Indices) -> tuple[Indices, Indices]:
    """Find pairs of plain pictures of like brightness and contrast.

    Parameters
    ----------
    grays : ndarray of uint8, shape (n, 32, 32)
        Of every picture.
    rows : ndarray of int64
        The plain ones.

    Returns
    -------
    first, second : ndarray of int64
        Pairs whose gray values differ by `REACH` or less on average.
    """
    values = grays[rows].reshape(-1, REDUCED_SIDE**2)
    mean, spread = values.mean(1, dtype=np.float32), values.std(1, dtype=np.float32)
    order = np.argsort(mean, kind="stable")
    ends = np.searchsorted(mean[order], mean[order] + REACH, side="right")
    found = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    for place, end in enumerate(ends.tolist()):
        later = order[place + 1 : end]
        later = later[np.abs(spread[later] - spread[order[place]]) <= REACH]
        apart = np.abs(values[later].astype(np.int16) - values[order[place]]).mean(1)
        near = later[apart <= REACH]
        found.append((np.full(len(near), order[place]), near))
    first, second = (np.concatenate(side) for side in zip(*found, strict=True))
    return rows[first], rows[second]


def leaders(
    hashes: Hashes, grays: Grays, plain: Mask, correlation: float, residual: float
) -> Indices:
    """Find for each picture an earlier one of equal hash that is clearly the same.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (n,)
        Of the pictures.
    grays : ndarray of uint8, shape (n, 32, 32)
        Their reduced pictures.
    plain : ndarray of bool, shape (n,)
        Pictures that stand for themselves: their colors tell more than their gray values.
    correlation, residual : float
        Limits of what is clearly the same.

    Returns
    -------
    ndarray of int64, shape (n,)
        The position of the picture that stands for each; itself if none.
    """
    lead = np.arange(len(hashes))
    _, bucket = np.unique(hashes, return_inverse=True)
    waiting = lead[(np.bincount(bucket)[bucket] > 1) & ~plain] if len(hashes) else lead
    while waiting.size:
        # The first that waits of each bucket stands for those it is clearly the same as.
        _, first, place = np.unique(bucket[waiting], return_index=True, return_inverse=True)
        head = waiting[first][place]
        seen = resemblance(grays, head, waiting, np.zeros(len(waiting), bool))
        alike = (seen.correlation >= correlation) & (seen.residual <= residual)
        lead[waiting[alike]] = head[alike]
        waiting = waiting[~alike & (head != waiting)]
    return lead
