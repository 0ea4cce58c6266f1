"""The images that stages compare with one another: clean ones, best keeper first."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from webemo_curate.duplicates.hash_keys import Indices
from webemo_curate.duplicates.links import Links
from webemo_curate.duplicates.measured import Method
from webemo_curate.duplicates.parting import Parting
from webemo_curate.stages.stage import ConfigT, Stage
from webemo_curate.table_engine import TableEngine
from webemo_curate.verdicts import GOOD_ENOUGH, TextVerdict

CLEAN: Final = """
create table clean as -- images that are compared; `place` counts them, the best keeper first
with ordered as (
    select images.sha256, pixel_hash
    from images join text on text.sha256 = images.sha256 and text.verdict = $clean {good}
    order by width::bigint * height desc nulls last, bytes desc, images.sha256
)
select *, row_number() over () - 1 as place from ordered
"""
"""The keeper of a cluster has the most pixels, then the most bytes, then the first hash.

They are counted as they come out of the sort: a window that sorts takes three times as long.
"""

GOOD: Final = (
    f"join quality on quality.sha256 = images.sha256 and quality.verdict = '{GOOD_ENOUGH}'"
)

COPIES: Final = """
with firsts as (
    select pixel_hash, min(place) as first from clean where pixel_hash is not null
    group by pixel_hash having count(*) > 1
)
select place, first from clean join firsts using (pixel_hash) where place <> first order by place
"""

NAMES: Final = "select sha256 from clean order by place"

CLEAN_COLUMNS: Final = ("sha256", "bytes", "width", "height", "pixel_hash")
"""Columns of `images` that `CLEAN` reads."""

QUALITY: Final = {"quality": ("sha256", "verdict")}
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


def make_clean(engine: TableEngine, *, by_quality: bool) -> None:
    """Let queries name the table `clean`: images without text, best keeper first.

    Parameters
    ----------
    engine : TableEngine
        Holds `images` and `text`; `quality` if pictures are dropped for it.
    by_quality : bool
        Whether they are.
    """
    engine.make(CLEAN.format(good=GOOD if by_quality else ""), clean=str(TextVerdict.CLEAN))


def clean_names(engine: TableEngine) -> list[str]:
    """Return the SHA-256 of every clean image, in the order of their places; see `make_clean`."""
    names: list[str] = engine.table(NAMES)["sha256"].to_pylist()
    return names


def first_of_pixels(engine: TableEngine) -> Indices:
    """Return for each clean image the place of the first image with equal pixels.

    Parameters
    ----------
    engine : TableEngine
        See `make_clean`.

    Returns
    -------
    ndarray of int64, shape (images,)
        For most images their own.
    """
    copies, first = engine.table(COPIES), np.arange(engine.count("clean"))
    first[copies["place"].to_numpy()] = copies["first"].to_numpy()
    return first


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
    if parting is not None:
        first = _parted(links, first)
    rows = np.flatnonzero(first != np.arange(len(first)))
    whole = np.ones(len(rows))
    links.join(rows, first[rows], 1 - whole, whole, Method.PIXELS, 0.0)
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
