"""The dedup stage: one keeper for each picture, and the groups that no split may cut."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from webemo_curate.clusters import Pairs, cluster_by_keeper, near_pairs
from webemo_curate.config import DedupConfig
from webemo_curate.schemas import DuplicateVerdict, FetchStatus, TextVerdict
from webemo_curate.stages.base import Stage, StageContext, Tables

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

KEEPER_ORDER = ["pixels", "bytes", "sha256"]
"""The keeper of a cluster has the most pixels, then the most bytes, then the first hash."""


class DedupStage(Stage[DedupConfig]):
    """Clusters clean images that show the same picture."""

    name = "dedup"
    inputs = ("listing", "fetch", "images", "text")
    outputs = ("duplicates",)

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:  # noqa: ARG002
        """Cluster duplicates and join clusters of one stock asset; see `Stage.run`."""
        images = _clean_images(tables)
        by_pixels = images.groupby("pixel_hash", sort=False)["sha256"].transform("first")
        unique = images[images["sha256"] == by_pixels].reset_index(drop=True)
        keeper, distance = self._near(unique)
        nearest = unique.assign(cluster=unique["sha256"].to_numpy()[keeper], distance=distance)
        found = nearest.set_index("sha256").loc[by_pixels]
        images["cluster"] = found["cluster"].to_numpy()
        images["distance"] = found["distance"].to_numpy()
        images["keeper"] = images["sha256"] == images["cluster"]
        images["exact"] = (images["distance"] == 0) & (images["cluster"] == by_pixels)
        return {"duplicates": _verdicts(images, _groups(images, tables))}

    def _near(self, images: "pd.DataFrame") -> "tuple[NDArray[np.int64], NDArray[np.float32]]":
        if not self.config.perceptual:
            none = np.empty(0, np.int64)
            return cluster_by_keeper(len(images), Pairs(none, none, np.empty(0, np.uint8)))
        hashes = images["phash"].to_numpy(np.uint64)
        mirrored = images["phash_mirrored"].to_numpy(np.uint64)
        upright = near_pairs(hashes, hashes, self.config.distance)
        flipped = near_pairs(hashes, mirrored, self.config.distance)
        both = Pairs(
            np.concatenate([upright.first, flipped.first]),
            np.concatenate([upright.second, flipped.second]),
            np.concatenate([upright.distance, flipped.distance]),
        )
        return cluster_by_keeper(len(images), both)


def _clean_images(tables: Tables) -> "pd.DataFrame":
    """Return images without text, best keeper first."""
    text = tables["text"].select(["sha256", "verdict"]).to_pandas()
    clean = text.loc[text["verdict"] == TextVerdict.CLEAN, ["sha256"]]
    columns = ["sha256", "bytes", "width", "height", "pixel_hash", "phash", "phash_mirrored"]
    images = tables["images"].select(columns).to_pandas().merge(clean, on="sha256")
    images["pixels"] = images["width"] * images["height"]
    ordered = images.sort_values(KEEPER_ORDER, ascending=[False, False, True], ignore_index=True)
    return ordered.astype({"phash": "uint64", "phash_mirrored": "uint64"})


def _groups(images: "pd.DataFrame", tables: Tables) -> "pd.Series[str]":
    """Name the group of each cluster: clusters that a stock asset joins share one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    fetched = tables["fetch"].select(["url", "status", "sha256"]).to_pandas()
    fetched = fetched.loc[fetched["status"] == FetchStatus.OK, ["url", "sha256"]]
    assets = tables["listing"].select(["url", "asset_id"]).to_pandas().dropna().drop_duplicates()
    named = images[["sha256", "cluster"]].merge(fetched, on="sha256").merge(assets, on="url")
    clusters = sorted(images["cluster"].unique())
    number = {cluster: index for index, cluster in enumerate(clusters)}
    rows = named["cluster"].map(number).to_numpy(np.int64)
    columns = named["asset_id"].factorize()[0] + len(clusters)
    size = len(clusters) + named["asset_id"].nunique()
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    first: dict[int, str] = {}
    for cluster, home in zip(clusters, component.tolist(), strict=False):
        first.setdefault(home, cluster)
    names = {cluster: first[component[index]] for cluster, index in number.items()}
    return images["cluster"].map(names)


def _verdicts(images: "pd.DataFrame", group: "pd.Series[str]") -> pa.Table:
    keeper, exact = images["keeper"].to_numpy(bool), images["exact"].to_numpy(bool)
    method = np.where(keeper, "keeper", np.where(exact, "pixels", "phash"))
    verdict = np.where(
        keeper,
        DuplicateVerdict.KEEPER,
        np.where(exact, DuplicateVerdict.EXACT, DuplicateVerdict.NEAR),
    )
    return pa.table(
        {
            "sha256": pa.array(images["sha256"], pa.string()),
            "cluster": pa.array(images["cluster"], pa.string()),
            "keeper": pa.array(keeper),
            "method": pa.array(method.tolist(), pa.string()),
            "distance": pa.array(images["distance"], pa.float32()),
            "verdict": pa.array(verdict.tolist(), pa.string()),
            "group": pa.array(group, pa.string()),
        }
    )
