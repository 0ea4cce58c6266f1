"""Find where a picture of few shapes was cut out of another, pixel by pixel.

A night sky or a silhouette has too few keypoints to be placed by them, and strangers of the kind
agree in as many. But a cut-out that was not re-scaled has the pixels of its original: where all of
them agree in one place, down to each star, it is no chance.
"""

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from webemo_curate.duplicates.looks import PictureLooks
from webemo_curate.duplicates.perceptual import COLOR_SIDE

COARSE_SIDE: Final = 256
"""Pixels of the longer side at which the place is sought first."""

BLUR: Final = 1.0
"""Standard deviation in pixels of the blur by which noise of re-coding is taken away."""

MEAN, MOST = 2.0, 16.0
"""Gray levels by which blurred pixels may differ on average, and all but a hundredth of them."""

HUE: Final = 6.0
"""Levels by which colors may differ on average."""

COARSE_DETAIL: Final = 4.0
"""Standard deviation in pixels of the blur that is subtracted to leave detail."""

CELL: Final = 8
DETAIL: Final = 1.5
"""Pixels of a cell's side, and the deviation in levels from which it has detail."""

ALIKE: Final = 0.8
"""Correlation from which the detail of two cells is the same."""

CERTAIN: Final = 0.9
"""Share of the cells with detail that agree in a cut-out."""

HELD: Final = 0.05
"""Least ratio of the changes of detail across and along: of a bare horizon it is under a
thousandth, with someone before it a tenth."""

SLACK: Final = 24
"""Levels by which mean colors of a cut-out's parts may lie beyond those of its original."""

BEST: Final = 4
"""Pictures that each is looked for in at most: those whose colors are nearest."""

BLOCK: Final = 2**12

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]


class CutOut(NamedTuple):
    """Where a picture lies in a larger one.

    Attributes
    ----------
    x, y
        Pixels of the larger one at which its upper left corner lies.
    agreeing, detailed
        Cells whose detail agrees, and all that have detail in either.
    correlation
        Of the gray values.
    """

    x: int
    y: int
    agreeing: int
    detailed: int
    correlation: float


def cut_out(whole: Gray, part: Gray) -> CutOut | None:
    """Find a picture in a larger one of the same scale.

    Parameters
    ----------
    whole, part : ndarray of uint8, shape (height, width)
        Gray values.

    Returns
    -------
    CutOut or None
        None where it does not fit, its pixels are not those of the place that is most like it, or
        it shows too little to lie there alone.
    """
    room = np.subtract(whole.shape, part.shape)
    if room.min() < 0 or room.max() == 0 or min(part.shape) < CELL:
        return None
    x, y = _place(whole, part)
    there = whole[y : y + part.shape[0], x : x + part.shape[1]]
    ours, theirs = (_blurred(side.astype(np.float32), BLUR) for side in (there, part))
    apart = np.abs(ours - theirs)
    if apart.mean() > MEAN or np.percentile(apart, 99) > MOST:
        return None
    agreeing, detailed = _cells(_detail(ours), _detail(theirs))
    if not detailed or agreeing < CERTAIN * detailed or not _is_held(theirs):
        return None
    correlation = float(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1])
    return CutOut(x, y, agreeing, detailed, correlation)


def _place(whole: Gray, part: Gray) -> tuple[int, int]:
    """Return the x and y at which squared differences are least, coarse first."""
    step = -(-max(whole.shape) // COARSE_SIDE)
    if step == 1:
        return _least(whole, part)
    x, y = (step * place for place in _least(_reduced(whole, step), _reduced(part, step)))
    # Within two coarse pixels; at an edge the window is moved back, so that the part fits into it.
    left = int(np.clip(x - 2 * step, 0, whole.shape[1] - part.shape[1]))
    top = int(np.clip(y - 2 * step, 0, whole.shape[0] - part.shape[0]))
    high, wide = (length + 4 * step for length in part.shape)
    x, y = _least(whole[top : top + high, left : left + wide], part)
    return left + x, top + y


def _reduced(gray: Gray, step: int) -> Gray:
    size = max(1, gray.shape[1] // step), max(1, gray.shape[0] // step)
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)


def _least(whole: Gray, part: Gray) -> tuple[int, int]:
    differences = cv2.matchTemplate(whole, part, cv2.TM_SQDIFF)
    x, y = cv2.minMaxLoc(differences)[2]
    return x, y


def _is_held(values: Floats) -> bool:
    """Tell whether a picture's detail holds it in both directions, as one straight edge does not.

    By the eigenvalues of its structure tensor (Förstner and Gülch 1987).
    """
    fine = values - _blurred(values, COARSE_DETAIL)
    down, across = np.gradient(fine)
    mixed = (down * across).mean()
    tensor = np.array([[(across**2).mean(), mixed], [mixed, (down**2).mean()]])
    small, large = np.linalg.eigvalsh(tensor)
    return bool(small >= HELD * large)


def _blurred(values: Floats, deviation: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), deviation), np.float32)


def _detail(values: Floats) -> Floats:
    """Return cells of what blur takes away, without their means; shape (cells, CELL * CELL)."""
    fine = values - _blurred(values, COARSE_DETAIL)
    rows, columns = (length // CELL for length in fine.shape)
    cut = fine[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL)
    cells = cut.swapaxes(1, 2).reshape(-1, CELL * CELL)
    return np.asarray(cells - cells.mean(1, keepdims=True))


def _cells(ours: Floats, theirs: Floats) -> tuple[int, int]:
    """Count cells whose detail agrees, and those that have detail."""
    mine, yours = ours.std(1), theirs.std(1)
    detailed = np.maximum(mine, yours) >= DETAIL
    alike = (ours * theirs).mean(1) >= ALIKE * np.maximum(mine, yours) ** 2
    return int((detailed & alike).sum()), int(detailed.sum())


def possible_cuts(looks: PictureLooks, known: int = 0) -> tuple[Indices, Indices]:
    """Find pairs of pictures of few shapes of which one may be cut out of the other.

    Parameters
    ----------
    looks : PictureLooks
        Of the pictures.
    known : int
        If given, the first so many are compared with the others alone.

    Returns
    -------
    first, second : ndarray of int64
        Positions, first < second; at most `BEST` of each second picture, so their number grows
        with that of these pictures.
    """
    rows = np.flatnonzero(looks.simple | looks.plain)
    cells = looks.colors[rows].reshape(len(rows), COLOR_SIDE**2, 3).astype(np.int16)
    low, high = cells.min(1), cells.max(1)
    begin = int(np.searchsorted(rows, known))
    pairs = [np.zeros((2, 0), np.int64)]
    for place in range(begin, len(rows)):
        earlier = slice(0, begin if known else place)
        within = (low[earlier] <= low[place] + SLACK) & (high[place] <= high[earlier] + SLACK)
        around = (low[place] <= low[earlier] + SLACK) & (high[earlier] <= high[place] + SLACK)
        others = np.flatnonzero(within.all(1) | around.all(1))
        nearest = others[np.argsort(_apart(cells, others, cells[place]), kind="stable")[:BEST]]
        pairs.append(np.stack([rows[nearest], np.full(len(nearest), rows[place])]))
    first, second = np.concatenate(pairs, axis=1)
    return first, second


def _apart(
    cells: npt.NDArray[np.int16], others: Indices, own: npt.NDArray[np.int16]
) -> npt.NDArray[np.float64]:
    """Return by how many levels the colors of one picture's parts lie beside another's.

    Each part's color is held against the nearest of the other picture, whichever may be the part.
    """
    found = [np.zeros(0)]
    for start in range(0, len(others), BLOCK):
        theirs = cells[others[start : start + BLOCK]]
        apart = np.abs(theirs[:, None] - own[None, :, None]).sum(3)
        found.append(np.minimum(apart.min(2).mean(1), apart.min(1).mean(1)))
    return np.concatenate(found)
