"""The looks of pictures, as the images manifest stores them: what the methods compare."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from webemo_curate.duplicates.hash_keys import Hashes, Indices
from webemo_curate.duplicates.perceptual import COLOR_SIDE
from webemo_curate.duplicates.plain import Mask, is_flat, is_plain, is_simple
from webemo_curate.imaging.structure import REDUCED_SIDE

if TYPE_CHECKING:
    import pandas as pd

LOOKS: Final = ["phash", "phash_mirrored", "gray", "color"]
"""Columns of the images manifest by which pictures are compared."""


@dataclass(frozen=True)
class PictureLooks:
    """How pictures look; arrays in one order.

    Attributes
    ----------
    paths
        str, files.
    phash, mirrored
        uint64, hashes of each picture and of its mirror image.
    grays
        uint8, shape (n, 32, 32).
    colors
        uint8, shape (n, 4, 4, 3).
    """

    paths: npt.NDArray[np.object_]
    phash: Hashes
    mirrored: Hashes
    grays: npt.NDArray[np.uint8]
    colors: npt.NDArray[np.uint8]

    @cached_property
    def flat(self) -> Mask:
        """Which show nothing; shape (n,)."""
        return is_flat(self.grays)

    @cached_property
    def plain(self) -> Mask:
        """Which are flat, or of so little structure that noise changes their hash."""
        return is_plain(self.grays)

    @cached_property
    def simple(self) -> Mask:
        """Which are of few shapes."""
        return is_simple(self.grays)

    def take(self, rows: Indices) -> "PictureLooks":
        """Return some of the pictures."""
        return PictureLooks(
            self.paths[rows],
            self.phash[rows],
            self.mirrored[rows],
            self.grays[rows],
            self.colors[rows],
        )


def looks_of(images: "pd.DataFrame") -> PictureLooks:
    """Return how images look.

    Parameters
    ----------
    images : DataFrame
        Columns `path` and `LOOKS`, none missing.

    Returns
    -------
    PictureLooks
        In their order; about 1.1 KB a picture.
    """
    gray, color = (np.frombuffer(b"".join(images[c]), np.uint8) for c in ("gray", "color"))
    return PictureLooks(
        images["path"].to_numpy(object),
        images["phash"].to_numpy(np.uint64),
        images["phash_mirrored"].to_numpy(np.uint64),
        gray.reshape(-1, REDUCED_SIDE, REDUCED_SIDE),
        color.reshape(-1, COLOR_SIDE, COLOR_SIDE, 3),
    )
