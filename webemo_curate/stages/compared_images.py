"""The images that stages compare with one another: clean ones, best keeper first."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from webemo_curate.duplicates.hamming import Indices
from webemo_curate.duplicates.links import Links
from webemo_curate.duplicates.measured import Method
from webemo_curate.duplicates.parting import Parting
from webemo_curate.frames import to_frame
from webemo_curate.stages.stage import ConfigT, Stage, Tables
from webemo_curate.verdicts import GOOD_ENOUGH, TextVerdict

if TYPE_CHECKING:
    import pandas as pd

KEEPER_ORDER = ["pixels", "bytes", "sha256"]
"""The keeper of a cluster has the most pixels, then the most bytes, then the first hash."""

QUALITY = {"quality": ("sha256", "verdict")}
"""A further input, read only if pictures are dropped for their quality: manifests made without it
stay current."""


class ComparingStage(Stage[ConfigT]):
    """A stage that compares clean images with one another.

    Parameters
    ----------
    config : StageConfig
        The stage's own configuration.
    by_quality : bool, default False
        Whether pictures are dropped for their quality.
    """

    def __init__(self, config: ConfigT, *, by_quality: bool = False) -> None:
        super().__init__(config)
        self._by_quality = by_quality

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return `inputs`, and `quality` if pictures are dropped for it."""
        return {**self.inputs, **QUALITY} if self._by_quality else self.inputs


def clean_images(tables: Tables, columns: Sequence[str]) -> "pd.DataFrame":
    """Return images without text that were not dropped for quality, best keeper first.

    Parameters
    ----------
    tables : Tables
        `images` and `text`; `quality` if pictures are dropped for it.
    columns : sequence of str
        Further columns of `images` to return.

    Returns
    -------
    DataFrame
        One row for each image: `sha256`, `bytes`, `width`, `height`, `pixels` and the columns.
    """
    text = to_frame(tables["text"].select(["sha256", "verdict"]))
    clean = text.loc[text["verdict"] == TextVerdict.CLEAN, ["sha256"]]
    if "quality" in tables:
        quality = to_frame(tables["quality"].select([*QUALITY["quality"]]))
        clean = clean.merge(quality.loc[quality["verdict"] == GOOD_ENOUGH, ["sha256"]], on="sha256")
    wanted = ["sha256", "bytes", "width", "height", *columns]
    images = to_frame(tables["images"].select(wanted)).merge(clean, on="sha256")
    images["pixels"] = images["width"].astype("Int64") * images["height"]
    return images.sort_values(KEEPER_ORDER, ascending=[False, False, True], ignore_index=True)


def first_of_pixels(images: "pd.DataFrame") -> Indices:
    """Return for each image the position of the first image with equal pixels.

    Parameters
    ----------
    images : DataFrame
        See `clean_images`; with `pixel_hash`.

    Returns
    -------
    ndarray of int64, shape (images,)
        For most images their own.
    """
    codes, _ = images["pixel_hash"].factorize()  # numbered as they appear
    _, places = np.unique(codes, return_index=True)
    return places[codes]


def linked_pixels(first: Indices, parting: Parting | None = None) -> Links:
    """Link images of equal pixels to the first of them.

    Parameters
    ----------
    first : ndarray of int64, shape (images,)
        See `first_of_pixels`.
    parting : Parting, optional
        People's decisions on pairs; images that they hold apart become siblings instead.

    Returns
    -------
    Links
        Links between the images' positions.
    """
    links = Links(len(first), parting)
    rows = np.arange(len(first))
    if parting is not None:
        first = _parted(links, first)
    whole = np.ones(len(first))
    links.join(rows, first, 1 - whole, whole, Method.PIXELS, 0.0)
    return links


def _parted(links: Links, first: Indices) -> Indices:
    """Separate rows that a person holds apart from the first row with the same pixels."""
    kept = first.copy()
    parting = links.parting
    for row in np.flatnonzero(first != np.arange(len(first))).tolist():
        if parting is not None and parting.may_join(row, int(first[row])):
            parting.join(row, int(first[row]))
        else:
            kept[row] = row
    kin = np.flatnonzero(kept != first)
    links.siblings = np.stack([first[kin], kin], axis=1)
    links.changed = np.zeros(len(kin), np.float32)
    return kept
