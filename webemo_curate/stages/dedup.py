"""The dedup stage: one keeper for each picture, and the groups that no split may cut."""

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from webemo_curate import gates
from webemo_curate.config import DecodingConfig, DedupConfig
from webemo_curate.duplicates.clusters import cluster_by_keeper
from webemo_curate.duplicates.compare import Prover
from webemo_curate.duplicates.hamming import Pairs
from webemo_curate.duplicates.local_words import words_by_hash
from webemo_curate.duplicates.looks import LOOKS, looks_of
from webemo_curate.duplicates.methods import FoundPairs, Method, by_features, by_grays, by_hash
from webemo_curate.frames import to_frame
from webemo_curate.stages.stage import Stage, StageContext, Tables
from webemo_curate.verdicts import STORED, DuplicateVerdict, TextVerdict

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

KEEPER_ORDER = ["pixels", "bytes", "sha256"]
"""The keeper of a cluster has the most pixels, then the most bytes, then the first hash."""


class DedupStage(Stage[DedupConfig]):
    """Clusters clean images that show the same picture."""

    name = "dedup"
    version = 8
    inputs: ClassVar = {
        "listing": ("url", "asset_id", "group"),
        "fetch": ("url", "status", "sha256"),
        "images": ("sha256", "path", "bytes", "width", "height", "pixel_hash", *LOOKS),
        "text": ("sha256", "verdict"),
        "features": ("sha256", "words"),
    }
    gate = gates.DEDUP
    outputs = ("duplicates",)

    def __init__(self, config: DedupConfig, decoding: DecodingConfig) -> None:
        super().__init__(config)
        self._decoding = decoding

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Cluster duplicates and join clusters of one sitting or stock asset; see `Stage.run`."""
        images = _clean_images(tables)
        links = Links(len(images))
        self._link_pixels(images, links)
        if self.config.perceptual:
            self._link_looks(images, tables["features"], context, links)
        images["cluster"] = images["sha256"].to_numpy()[links.roots()]
        siblings = links.sibling_clusters()
        grouped = _groups(images, tables, siblings)
        return {"duplicates": _verdicts(images, links, grouped)}

    def _link_pixels(self, images: "pd.DataFrame", links: "Links") -> None:
        codes, _ = images["pixel_hash"].factorize()  # numbered as they appear
        _, first = np.unique(codes, return_index=True)
        whole = np.ones(len(images))
        links.join(np.arange(len(images)), first[codes], 1 - whole, whole, Method.PIXELS, 0.0)

    def _link_looks(
        self, images: "pd.DataFrame", features: pa.Table, context: StageContext, links: "Links"
    ) -> None:
        """Join pictures that look the same: whole frames first, then crops and captions."""
        looks = looks_of(images)
        prover = Prover(
            context.workspace.images,
            context.runner,
            context.workspace.checkpoints(self.name, context.fingerprint),
            self.config,
            self._decoding.max_pixels,
        )
        rows = links.keepers()
        found = by_hash(looks.take(rows), self.config, prover.prove)
        links.join_nearest(rows, found, found.distance, Method.PHASH, self.config.distance)
        limit = 1 - self.config.min_correlation
        rows = links.keepers()
        found = by_grays(looks.take(rows), prover.prove)
        links.join_nearest(rows, found, 1 - found.correlation, Method.GRAYS, limit)
        rows = links.keepers()
        words = words_by_hash(images["sha256"].iloc[rows].to_list(), features)
        found = by_features(looks.take(rows), words, prover.prove)
        links.join_nearest(rows, found, 1 - found.correlation, Method.FEATURES, limit)


class Links:
    """Which row each row was matched with, and how; rows come best keeper first.

    A row is linked once, to a row that then stood for itself; the methods in turn make ways of
    at most four links, each of them measured, so chains cannot merge strangers.

    Parameters
    ----------
    size : int
        Number of rows.
    """

    def __init__(self, size: int) -> None:
        self.parent = np.arange(size)
        self.distance = np.zeros(size, np.float32)
        self.threshold = np.full(size, np.nan, np.float32)
        self.correlation = np.full(size, np.nan, np.float32)
        self.method = np.full(size, "keeper", dtype=object)
        self.siblings = np.zeros((0, 2), np.int64)
        self.changed = np.zeros(0, np.float32)

    def keepers(self) -> "NDArray[np.int64]":
        """Return the rows that still stand for themselves."""
        return np.flatnonzero(self.parent == np.arange(len(self.parent)))

    def join(
        self,
        rows: "NDArray[np.int64]",
        parents: "NDArray[np.int64]",
        distance: "NDArray[np.floating[Any]]",
        correlation: "NDArray[np.floating[Any]]",
        method: Method,
        threshold: float,
    ) -> None:
        """Link rows to their parents; a row that is its own parent stays as it is."""
        moved = rows != parents
        rows = rows[moved]
        self.parent[rows] = parents[moved]
        self.distance[rows] = distance[moved]
        self.correlation[rows] = correlation[moved]
        self.threshold[rows] = threshold
        self.method[rows] = str(method)

    def join_nearest(
        self,
        rows: "NDArray[np.int64]",
        found: FoundPairs,
        distance: "NDArray[np.float32]",
        method: Method,
        threshold: float,
    ) -> None:
        """Link rows to the nearest keeper that they are the same as, and note siblings."""
        pairs = found.where(found.same)
        near = Pairs(pairs.first, pairs.second, distance[found.same])
        keeper, gap = cluster_by_keeper(len(rows), near)
        correlation = correlation_of(pairs, keeper)
        self.join(rows, rows[keeper], gap, correlation, method, threshold)
        kin = found.where(~found.same)
        sides = np.stack([rows[kin.first], rows[kin.second]], axis=1)
        self.siblings = np.concatenate([self.siblings, sides])
        self.changed = np.concatenate([self.changed, kin.changed])

    def sibling_clusters(self) -> "NDArray[np.int64]":
        """Return the pairs of keepers whose clusters hold siblings; shape (pairs, 2)."""
        return self.roots()[self.siblings]

    def roots(self) -> "NDArray[np.int64]":
        """Return the keeper of each row's cluster."""
        root = self.parent
        while (root != self.parent[root]).any():
            root = self.parent[root]
        return root


def correlation_of(pairs: FoundPairs, keeper: "NDArray[np.int64]") -> "NDArray[np.float32]":
    """Return the correlation measured of each row and its keeper; 1 for a keeper."""
    measured = np.ones(len(keeper), np.float32)
    for later, earlier in ((pairs.first, pairs.second), (pairs.second, pairs.first)):
        chosen = keeper[later] == earlier
        measured[later[chosen]] = pairs.correlation[chosen]
    return measured


def _clean_images(tables: Tables) -> "pd.DataFrame":
    """Return images without text, best keeper first."""
    text = to_frame(tables["text"].select(["sha256", "verdict"]))
    clean = text.loc[text["verdict"] == TextVerdict.CLEAN, ["sha256"]]
    columns = ["sha256", "path", "bytes", "width", "height"]
    columns += ["pixel_hash", *LOOKS]
    images = to_frame(tables["images"].select(columns)).merge(clean, on="sha256")
    images["pixels"] = images["width"].astype("Int64") * images["height"]
    return images.sort_values(KEEPER_ORDER, ascending=[False, False, True], ignore_index=True)


def _groups(
    images: "pd.DataFrame", tables: Tables, siblings: "NDArray[np.int64]"
) -> "pd.Series[str]":
    """Name the group of each cluster: those that a stock asset, the listing or siblings join."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    fetched = to_frame(tables["fetch"].select(["url", "status", "sha256"]))
    fetched = fetched.loc[fetched["status"].isin(STORED), ["url", "sha256"]]
    named = images[["sha256", "cluster"]].merge(fetched, on="sha256")
    named = named.merge(_ties(tables["listing"]), on="url")
    clusters = sorted(images["cluster"].unique())
    number = {cluster: index for index, cluster in enumerate(clusters)}
    rows = named["cluster"].map(number).to_numpy(np.int64)
    columns = named["tie"].factorize()[0] + len(clusters)
    kin = images["sha256"].map(number).to_numpy()[siblings].astype(np.int64)
    rows, columns = np.r_[rows, kin[:, 0]], np.r_[columns, kin[:, 1]]
    size = len(clusters) + named["tie"].nunique()
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    first: dict[int, str] = {}
    for cluster, home in zip(clusters, component.tolist(), strict=False):
        first.setdefault(home, cluster)
    names = {cluster: first[component[index]] for cluster, index in number.items()}
    return images["cluster"].map(names)


def _ties(listing: pa.Table) -> "pd.DataFrame":
    """Return what joins pictures beyond their looks: columns `url` and `tie`, each pair once."""
    import pandas as pd

    lines = to_frame(listing.select(["url", "asset_id", "group"]))
    parts = [
        lines[["url"]].assign(tie=f"{name} " + lines[name].astype(object))
        for name in ("asset_id", "group")
    ]
    return pd.concat(parts).dropna().drop_duplicates()


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
            "correlation": pa.array(links.correlation, pa.float32(), from_pandas=True),
            "group": pa.array(group, pa.string()),
            **_nearest_siblings(images, links),
        }
    )


def _nearest_siblings(images: "pd.DataFrame", links: Links) -> dict[str, pa.Array]:
    """Return for each image the sibling that it differs from least, and by how much."""
    names = images["sha256"].to_numpy()
    sibling = np.full(len(images), None, dtype=object)
    score = np.full(len(images), np.nan, np.float32)
    sides = np.concatenate([links.siblings, links.siblings[:, ::-1]])
    changed = np.tile(links.changed, 2)
    root = links.roots()
    apart = root[sides[:, 0]] != root[sides[:, 1]]
    sides, changed = sides[apart], changed[apart]
    # Written from the farthest to the nearest, so that the nearest stays.
    order = np.lexsort((sides[:, 1], changed))[::-1]
    sibling[sides[order, 0]] = names[sides[order, 1]]
    score[sides[order, 0]] = changed[order]
    return {
        "sibling_of": pa.array(sibling.tolist(), pa.string()),
        "sibling_score": pa.array(score, pa.float32(), from_pandas=True),
    }
