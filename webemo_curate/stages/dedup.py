"""The dedup stage: one keeper for each picture, and the groups that no split may cut."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from webemo_curate import gates
from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.links import Links, link_looks
from webemo_curate.duplicates.measured import Method
from webemo_curate.duplicates.parting import Parting
from webemo_curate.duplicates.stored_pairs import StoredPairs
from webemo_curate.frames import to_frame
from webemo_curate.match_schemas import PAIRS
from webemo_curate.reviews.decided_reviews import REVIEWS, decided_by, tell_unused
from webemo_curate.reviews.review import ANSWERS, ReviewKind
from webemo_curate.stages.compared_images import ComparingStage, clean_images, linked_pixels
from webemo_curate.stages.stage import StageContext, Tables
from webemo_curate.verdicts import STORED, DuplicateVerdict

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


class DedupStage(ComparingStage[DedupConfig]):
    """Clusters clean images that show the same picture, by the pairs that were measured."""

    name = "dedup"
    version = 9
    inputs: ClassVar = {
        "listing": ("url", "asset_id", "group"),
        "fetch": ("url", "status", "sha256"),
        "images": ("sha256", "bytes", "width", "height", "pixel_hash"),
        "text": ("sha256", "verdict"),
        "pairs": tuple(PAIRS.names),
    }
    gate = gates.DEDUP
    reviewed = ReviewKind.DUPLICATE
    outputs = ("duplicates",)

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:  # noqa: ARG002
        """Cluster duplicates and join clusters of one sitting or stock asset; see `Stage.run`."""
        images = clean_images(tables, ["pixel_hash"])
        parting = _parting(images, tables.get(REVIEWS))
        links = linked_pixels(images, parting)
        if self.config.perceptual:
            names = images["sha256"].to_list()
            link_looks(links, StoredPairs(tables["pairs"], names), self.config)
        links.join_reviewed()
        images["cluster"] = images["sha256"].to_numpy()[links.roots()]
        siblings = links.sibling_clusters()
        grouped = _groups(images, tables, siblings)
        return {"duplicates": _verdicts(images, links, grouped)}


def _parting(images: "pd.DataFrame", reviews: pa.Table | None) -> Parting | None:
    """Return what people said of the images' pairs, by position; None if they said nothing."""
    if reviews is None or not reviews.num_rows:
        return None
    rows = {name: row for row, name in enumerate(images["sha256"])}
    pairs: dict[str, list[tuple[int, int]]] = {str(d): [] for d in ANSWERS[ReviewKind.DUPLICATE]}
    for one, two, decision in zip(*reviews.to_pydict().values(), strict=True):
        if one in rows and two in rows:
            pairs[decision].append((rows[one], rows[two]))
    parting = Parting(len(rows), *pairs.values())
    used = len(parting.same) + len(parting.different)
    tell_unused(DedupStage.name, reviews.num_rows - used, reviews.num_rows)
    return parting


def _reviewed(links: Links) -> "NDArray[np.bool_]":
    """Tell which rows are what they are, or are confirmed, by a person's word."""
    keeper, reviewed = links.method == "keeper", links.method == str(Method.REVIEW)
    if links.parting is not None:
        # Of a pair the later row is the one that is kept or leaves by it.
        for pairs, kept in ((links.parting.same, False), (links.parting.different, True)):
            later = np.array([max(pair) for pair in pairs], np.int64)
            reviewed[later[keeper[later] == kept]] = True
    return reviewed


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
            "distance": pa.array(links.distance, pa.float32(), from_pandas=True),
            "threshold": pa.array(links.threshold, pa.float32(), from_pandas=True),
            "verdict": pa.array(verdict.tolist(), pa.string()),
            "correlation": pa.array(links.correlation, pa.float32(), from_pandas=True),
            "group": pa.array(group, pa.string()),
            "by": decided_by(pa.array(_reviewed(links))),
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
