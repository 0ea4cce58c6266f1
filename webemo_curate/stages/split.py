"""The split stage: whole groups to train, validation and test, stratified and seeded."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from webemo_curate.config import SplitConfig
from webemo_curate.draw import hash_order
from webemo_curate.schemas import FetchStatus, Split
from webemo_curate.stages.base import Stage, StageContext, Tables

if TYPE_CHECKING:
    import pandas as pd

SPLITS = tuple(str(split) for split in Split)


class SplitStage(Stage[SplitConfig]):
    """Divides the sample and writes the manifests that training reads."""

    name = "split"
    inputs = ("sample", "images", "duplicates", "labels", "listing", "fetch")
    outputs = SPLITS

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:  # noqa: ARG002
        """Assign every group to one split; see `Stage.run`."""
        rows = _final_rows(tables)
        home = self._assign(rows, _official_test(tables) if self.config.official else set())
        rows["split"] = rows["group"].map(home)
        return {split: _table(rows[rows["split"] == split]) for split in SPLITS}

    def _assign(self, rows: "pd.DataFrame", official: set[str]) -> dict[str, str]:
        """Return the split of each group; `official` holds images that must be tested on."""
        groups = _ordered_groups(rows, self.config.seed)
        fixed = set(rows.loc[rows["sha256"].isin(official), "group"])
        ratios = np.array(self.config.ratios)
        if self.config.official:
            ratios[SPLITS.index(Split.TEST)] = 0
        free = groups[~groups.index.isin(fixed)]
        places = divide(free.to_list(), ratios.tolist())
        home = {group: SPLITS[place] for group, place in zip(free.index, places, strict=True)}
        return home | dict.fromkeys(fixed, str(Split.TEST))


def divide(sizes: Sequence[int], ratios: Sequence[float]) -> list[int]:
    """Deal groups out so that after each one the parts are as near their ratios as can be.

    Every stretch of groups (a stratum, if they come sorted) is divided by the ratios too.

    Parameters
    ----------
    sizes : sequence of int
        Rows of each group, in the order in which they are dealt.
    ratios : sequence of float
        Wanted shares of the parts, not all zero.

    Returns
    -------
    list of int
        The part of each group; part sizes are within the largest group of their shares.
    """
    shares = np.array(ratios) / sum(ratios)
    deficit = np.zeros(len(shares))
    places = []
    for size in sizes:
        deficit += shares * size
        place = int(np.argmax(np.where(shares > 0, deficit, -np.inf)))
        deficit[place] -= size
        places.append(place)
    return places


def _final_rows(tables: Tables) -> "pd.DataFrame":
    """Return the kept images with all columns of the split manifests."""
    sample = tables["sample"].to_pandas()
    kept = sample.loc[sample["kept"], ["sha256", "target", "label"]]
    images = tables["images"].select(["sha256", "path", "width", "height"]).to_pandas()
    groups = tables["duplicates"].select(["sha256", "group"]).to_pandas()
    labels = tables["labels"].select(["cluster", "labels"]).to_pandas()
    rows = kept.merge(images, on="sha256").merge(groups, on="sha256")
    rows = rows.merge(labels.rename(columns={"cluster": "sha256"}), on="sha256")
    return rows.merge(_first_urls(tables), on="sha256")


def _first_urls(tables: Tables) -> "pd.DataFrame":
    fetched = tables["fetch"].select(["url", "status", "sha256"]).to_pandas()
    stored = fetched[fetched["status"] == FetchStatus.OK]
    return stored.groupby("sha256", as_index=False)["url"].min()


def _official_test(tables: Tables) -> set[str]:
    """Return images that WEBEmo's own test list names, or whose duplicates it names."""
    listing = tables["listing"].select(["url", "official_split"]).to_pandas()
    urls = listing.loc[listing["official_split"] == Split.TEST, ["url"]].drop_duplicates()
    fetched = tables["fetch"].select(["url", "sha256"]).to_pandas()
    members = tables["duplicates"].select(["sha256", "cluster"]).to_pandas()
    return set(urls.merge(fetched, on="url").merge(members, on="sha256")["cluster"])


def _ordered_groups(rows: "pd.DataFrame", seed: int) -> "pd.Series[int]":
    """Return group sizes by name: strata one after another, by hash within a stratum."""
    ordered = rows.sort_values(["group", "target", "label"])
    groups = ordered.groupby("group").agg(
        target=("target", "first"), label=("label", "first"), size=("sha256", "size")
    )
    groups["number"] = hash_order(seed, SplitStage.name, groups.index)
    sizes: pd.Series[int] = groups.sort_values(["target", "label", "number"])["size"]
    return sizes


def _table(rows: "pd.DataFrame") -> pa.Table:
    columns = ["path", "sha256", "target", "label", "labels", "group", "width", "height", "url"]
    table = pa.Table.from_pandas(rows[columns], preserve_index=False)
    return table.set_column(
        table.schema.get_field_index("labels"),
        "labels",
        pa.array([list(labels) for labels in rows["labels"]], pa.list_(pa.string())),
    )
