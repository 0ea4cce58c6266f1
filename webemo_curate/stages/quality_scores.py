"""Quality scores of pictures from their measures, 0 to 1; a low score is bad.

Scores that cleanvision defines equal its own (0.3.7, `issue_managers/image_property.py`).
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from webemo_curate.verdicts import QualityFlag

ENTROPY_SHARE: Final = 0.1
"""Score for each bit of entropy: cleanvision's normalizing factor of low information."""

EDGE_SHARE: Final = 0.01
"""Cleanvision's normalizing factor for edges and for the spread of gray values."""

MIN_SPREAD: Final = 0.18
"""Spreads up to this score count as zero: cleanvision's color threshold."""

GRAY_MODE: Final = "L"
"""Pillow's mode of files that cleanvision takes for gray."""

Scores = npt.NDArray[np.float64]


class Sizes(NamedTuple):
    """How near sizes are to the usual size of their set, and the threshold."""

    scores: Scores
    threshold: float


def scores_of(pictures: pa.Table, size_ranges: float) -> tuple[dict[QualityFlag, Scores], float]:
    """Score pictures.

    Parameters
    ----------
    pictures : pa.Table
        The columns of `measures`, and `width`, `height` and `mode` of `images`, one row a picture.
    size_ranges : float
        Interquartile ranges beyond the quartiles from which a size is odd.

    Returns
    -------
    dict of QualityFlag to ndarray of float64, shape (rows,)
        In the order of the rows.
    float
        The threshold of odd sizes, which depends on the sizes.
    """
    of = {name: pictures[name].to_numpy() for name in pictures.column_names}
    sizes = size_scores(np.sqrt(of["width"]) * np.sqrt(of["height"]), size_ranges)
    shorter = np.minimum(of["width"], of["height"])
    return {
        QualityFlag.DARK: of["brightness_p99"],
        QualityFlag.LIGHT: 1 - of["brightness_p5"],
        QualityFlag.BLURRY: blur_scores(of["edges"], of["gray_spread"]),
        QualityFlag.LOW_INFORMATION: np.minimum(ENTROPY_SHARE * of["entropy"], 1),
        QualityFlag.GRAYSCALE: (of["mode"] != GRAY_MODE).astype(np.float64),
        QualityFlag.COLORLESS: of["chroma"],
        QualityFlag.ODD_ASPECT_RATIO: shorter / np.maximum(of["width"], of["height"]),
        QualityFlag.ODD_SIZE: sizes.scores,
        QualityFlag.BLANK_BORDERS: of["inside"],
        QualityFlag.BLOCKY: of["grid"],
    }, sizes.threshold


def blur_scores(edges: Scores, gray_spread: Scores) -> Scores:
    """Score the sharpness of pictures by their edges and their uneven use of gray values.

    Parameters
    ----------
    edges, gray_spread : ndarray of float64, shape (N,)
        See `imaging.Measures`.

    Returns
    -------
    ndarray of float64, shape (N,)
        A picture with few gray values (a drawing, say) is not blurry, however few edges it has.
    """
    spread = 1 - np.exp(-EDGE_SHARE * gray_spread)
    spread[spread <= MIN_SPREAD] = 0
    sharp: Scores = np.minimum(1 - np.exp(-EDGE_SHARE * edges) + spread, 1)
    return sharp


def size_scores(sizes: Scores, ranges: float) -> Sizes:
    """Score how near sizes are to the usual size of their set.

    Parameters
    ----------
    sizes : ndarray of float64, shape (N,)
        Square roots of the areas, in pixels.
    ranges : float
        Interquartile ranges beyond the quartiles from which a size is odd.

    Returns
    -------
    Sizes
        1 half-way between the bounds, and the threshold at them. If most sizes are equal, every
        other size is odd.
    """
    if not sizes.size:
        return Sizes(sizes, 0.5)
    first, third = np.percentile(sizes, [25, 75])
    least, most = first - ranges * (third - first), third + ranges * (third - first)
    middle, gap = (least + most) / 2, most - least
    distance = np.abs(sizes - middle) / (gap or middle)
    return Sizes(1 - np.clip(distance, 0, 1), 0.5 if gap else 1.0)
