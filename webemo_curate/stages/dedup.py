"""The dedup stage: one keeper for each picture, and the groups that no split may cut."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.candidates import candidate_pairs
from webemo_curate.duplicates.clusters import cluster_by_keeper, near_pairs
from webemo_curate.duplicates.compare import compare_pairs
from webemo_curate.duplicates.features import words_by_hash
from webemo_curate.frames import to_frame
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
    version = 5
    inputs = ("listing", "fetch", "images", "text", "features")
    outputs = ("duplicates",)

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Cluster duplicates and join clusters of one stock asset; see `Stage.run`."""
        images = _clean_images(tables)
        links = Links(len(images))
        self._link_pixels(images, links)
        if self.config.perceptual:
            self._link_hashes(images, links)
            self._link_features(images, tables["features"], context, links)
        images["cluster"] = images["sha256"].to_numpy()[links.roots()]
        return {"duplicates": _verdicts(images, links, _groups(images, tables))}

    def _link_pixels(self, images: "pd.DataFrame", links: "Links") -> None:
        codes, _ = images["pixel_hash"].factorize()  # numbered as they appear
        _, first = np.unique(codes, return_index=True)
        links.join(np.arange(len(images)), first[codes], np.zeros(len(images)), "pixels", 0.0)

    def _link_hashes(self, images: "pd.DataFrame", links: "Links") -> None:
        """Join pictures whose perceptual hashes are near, upright or mirrored."""
        rows = links.keepers()
        hashes = images["phash"].to_numpy(np.uint64)[rows]
        mirrored = images["phash_mirrored"].to_numpy(np.uint64)[rows]
        keeper, distance = cluster_by_keeper(
            len(rows), near_pairs(hashes, mirrored, self.config.distance)
        )
        links.join(rows, rows[keeper], distance, "phash", self.config.distance)

    def _link_features(
        self, images: "pd.DataFrame", features: pa.Table, context: StageContext, links: "Links"
    ) -> None:
        """Join pictures of which one lies on the other: crops, captions, borders."""
        rows = links.keepers()
        words = words_by_hash(images["sha256"].iloc[rows].to_list(), features)
        pairs = compare_pairs(
            candidate_pairs(words),
            images["path"].to_numpy()[rows],
            context.workspace.images,
            context.engine,
            context.workspace.checkpoints(self.name, context.fingerprint),
            self.config,
            context.workspace.config().images.max_pixels,
        )
        keeper, gap = cluster_by_keeper(len(rows), pairs)
        links.join(rows, rows[keeper], gap, "features", 1 - self.config.min_correlation)


class Links:
    """Which row each row was matched with, and how; rows come best keeper first.

    A row is linked once, to a row that then stood for itself; three methods in turn make ways of
    at most three links, each of them measured, so chains cannot merge strangers.

    Parameters
    ----------
    size : int
        Number of rows.
    """

    def __init__(self, size: int) -> None:
        self.parent = np.arange(size)
        self.distance = np.zeros(size, np.float32)
        self.threshold = np.full(size, np.nan, np.float32)
        self.method = np.full(size, "keeper", dtype=object)

    def keepers(self) -> "NDArray[np.int64]":
        """Return the rows that still stand for themselves."""
        return np.flatnonzero(self.parent == np.arange(len(self.parent)))

    def join(
        self,
        rows: "NDArray[np.int64]",
        parents: "NDArray[np.int64]",
        distance: "NDArray[np.floating[Any]]",
        method: str,
        threshold: float,
    ) -> None:
        """Link rows to their parents; a row that is its own parent stays as it is."""
        moved = rows != parents
        rows = rows[moved]
        self.parent[rows] = parents[moved]
        self.distance[rows] = distance[moved]
        self.threshold[rows] = threshold
        self.method[rows] = method

    def roots(self) -> "NDArray[np.int64]":
        """Return the keeper of each row's cluster."""
        root = self.parent
        while (root != self.parent[root]).any():
            root = self.parent[root]
        return root


def _clean_images(tables: Tables) -> "pd.DataFrame":
    """Return images without text, best keeper first."""
    text = to_frame(tables["text"].select(["sha256", "verdict"]))
    clean = text.loc[text["verdict"] == TextVerdict.CLEAN, ["sha256"]]
    columns = ["sha256", "path", "bytes", "width", "height"]
    columns += ["pixel_hash", "phash", "phash_mirrored"]
    images = to_frame(tables["images"].select(columns)).merge(clean, on="sha256")
    images["pixels"] = images["width"].astype("Int64") * images["height"]
    return images.sort_values(KEEPER_ORDER, ascending=[False, False, True], ignore_index=True)


def _groups(images: "pd.DataFrame", tables: Tables) -> "pd.Series[str]":
    """Name the group of each cluster: clusters that a stock asset joins share one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    fetched = to_frame(tables["fetch"].select(["url", "status", "sha256"]))
    fetched = fetched.loc[fetched["status"] == FetchStatus.OK, ["url", "sha256"]]
    assets = to_frame(tables["listing"].select(["url", "asset_id"])).dropna().drop_duplicates()
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


def _verdicts(images: "pd.DataFrame", links: Links, group: "pd.Series[str]") -> pa.Table:
    keeper, exact = links.method == "keeper", links.method == "pixels"
    verdict = np.where(
        keeper,
        DuplicateVerdict.KEEPER,
        np.where(exact, DuplicateVerdict.EXACT, DuplicateVerdict.NEAR),
    )
    matched = images["sha256"].to_numpy()[links.parent]
    return pa.table(
        {
            "sha256": pa.array(images["sha256"], pa.string()),
            "cluster": pa.array(images["cluster"], pa.string()),
            "keeper": pa.array(keeper),
            "matched": pa.array(matched, pa.string()),
            "method": pa.array(links.method.tolist(), pa.string()),
            "distance": pa.array(links.distance, pa.float32()),
            "threshold": pa.array(links.threshold, pa.float32(), from_pandas=True),
            "verdict": pa.array(verdict.tolist(), pa.string()),
            "group": pa.array(group, pa.string()),
        }
    )
