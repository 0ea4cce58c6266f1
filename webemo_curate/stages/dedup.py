"""The dedup stage: choose one keeper for each picture, and the groups that no split may divide."""

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import pyarrow as pa

from webemo_curate import gates
from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.hash_keys import Indices
from webemo_curate.duplicates.links import KEEPER, METHODS, Links, link_looks
from webemo_curate.duplicates.measured import MeasuredPairs, Method
from webemo_curate.duplicates.parting import Parting
from webemo_curate.duplicates.stored_pairs import measured_of
from webemo_curate.match_schemas import PAIRS
from webemo_curate.reviews.decided_reviews import tell_unused
from webemo_curate.reviews.review import ANSWERS, ReviewKind
from webemo_curate.stages.compared_images import (
    CLEAN_COLUMNS,
    ComparingStage,
    first_of_pixels,
    linked_pixels,
    make_clean,
)
from webemo_curate.stages.stage import StageContext, TableStage
from webemo_curate.table_engine import TableEngine
from webemo_curate.verdicts import STORED, DuplicateVerdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

DECIDED: Final = """
select one.place, two.place, decision
from reviews join clean as one on one.sha256 = reviews.sha256
    join clean as two on two.sha256 = other
order by entry
"""

MET: Final = """
create table met as -- the pairs that were measured of clean images, by their places
select one.place as earlier, two.place as later, pairs.* exclude (first, second)
from pairs join clean as one on one.sha256 = first join clean as two on two.sha256 = second
"""

MET_BY: Final = 'select * from met where method = $method order by earlier, later, "placing"'

TOLD: Final = """
create table told as -- clusters of which listed lines share a stock asset, or a group of the list
with ties as (
    select url, 'asset_id ' || asset_id as tie from listing where asset_id is not null
    union all select url, 'group ' || "group" from listing where "group" is not null
), shared as (
    select tie from ties group by tie having count(*) > 1
)
select distinct coalesce(root, clean.place) as root, tie
from ties semi join shared using (tie) join "fetch" using (url) join clean using (sha256)
    left join linked using (place)
where list_contains($stored, status)
"""

TIED: Final = """
with firsts as (select tie, min(root) as first from told group by tie having count(*) > 1)
select distinct root, first from told join firsts using (tie) where root <> first
order by root, first
"""

GROUPED: Final = """
create table grouped as -- clusters held together have the name of the first of them
select root, min(sha256) over (partition by component) as "group"
from held join clean on place = root
"""

MOVED: Final = """
create table moved as -- what is no keeper, with its cluster and the image it was matched with
select linked.place, lead.sha256 as cluster, other.sha256 as matched
from linked join clean as lead on lead.place = root join clean as other on other.place = parent
where parent <> linked.place
"""

KIN: Final = """
create table kin as -- images with siblings, and the one that each differs from least
select siblings.place, sha256 as sibling_of, score as sibling_score
from siblings join clean on clean.place = sibling
"""

DUPLICATES: Final = """
select clean.sha256, coalesce(cluster, clean.sha256) as cluster, cluster is null as keeper,
    coalesce(matched, clean.sha256) as matched, coalesce(method, 'keeper') as method,
    if(cluster is null, 0, distance) as distance, threshold,
    case when cluster is null then $keeper when method = 'pixels' then $exact else $near
        end as verdict,
    correlation, coalesce("group", cluster, clean.sha256) as "group",
    case when (select bool_or(reviewed) from linked)
        then if(reviewed, 'review', 'rule') end as "by",
    sibling_of, sibling_score
from clean left join linked using (place) left join moved using (place)
    left join grouped on grouped.root = coalesce(linked.root, clean.place)
    left join kin using (place)
order by clean.sha256
"""


class DedupStage(ComparingStage[DedupConfig], TableStage[DedupConfig]):
    """Clusters clean images that show the same picture, by the measured pairs."""

    name = "dedup"
    version = 10
    inputs: ClassVar = {
        "listing": ("url", "asset_id", "group"),
        "fetch": ("url", "status", "sha256"),
        "images": CLEAN_COLUMNS,
        "text": ("sha256", "verdict"),
        "pairs": tuple(PAIRS.names),
    }
    gate = gates.DEDUP
    reviewed = ReviewKind.DUPLICATE
    outputs = ("duplicates",)

    def derive(self, engine: TableEngine, context: StageContext) -> dict[str, pa.Table]:  # noqa: ARG002
        """Cluster duplicates and join clusters of one sitting or stock asset; see `Stage.run`."""
        make_clean(engine, by_quality=self._by_quality)
        links = linked_pixels(first_of_pixels(engine), _parting(engine))
        if self.config.perceptual:
            engine.make(MET)
            link_looks(links, _Met(engine, len(links.parent)), self.config)
        links.join_reviewed()
        engine.add("linked", _linked(links))
        engine.add("siblings", _nearest_siblings(links))
        engine.make(TOLD, stored=[*STORED])
        engine.add("held", _held(engine, links))
        engine.make(GROUPED)
        engine.make(MOVED)
        engine.make(KIN)
        keeper, exact, near = map(str, DuplicateVerdict)
        return {"duplicates": engine.table(DUPLICATES, keeper=keeper, exact=exact, near=near)}


class _Met:
    """Passes the measured pairs of clean images to `links.link_looks`."""

    def __init__(self, engine: TableEngine, size: int) -> None:
        self._engine, self._size = engine, size

    def __call__(self, method: Method, rows: Indices) -> MeasuredPairs:
        """Return the pairs of some rows that a method proposed."""
        pairs = self._engine.table(MET_BY, method=str(method))
        measured = measured_of(pairs, _numbers(pairs, "earlier"), _numbers(pairs, "later"))
        standing = np.zeros(self._size, bool)
        standing[rows] = True
        return measured.where(standing[measured.first] & standing[measured.second])


def _numbers(table: pa.Table, column: str) -> Indices:
    return table[column].to_numpy().astype(np.int64)


def _parting(engine: TableEngine) -> Parting | None:
    """Return people's decisions on pairs of images, by position; None if there are none."""
    said = engine.count("reviews")
    if not said:
        return None
    pairs: dict[str, list[tuple[int, int]]] = {str(d): [] for d in ANSWERS[ReviewKind.DUPLICATE]}
    for one, two, decision in engine.rows(DECIDED):
        pairs[decision].append((one, two))
    parting = Parting(*pairs.values())
    used = len(parting.same) + len(parting.different)
    tell_unused(DedupStage.name, said - used, said)
    return parting


def _linked(links: Links) -> pa.Table:
    """Return the rows that are no keepers, or that a person decided.

    With the row that each was matched with, its cluster's keeper, and the method.
    """
    reviewed = _reviewed(links)
    rows = np.flatnonzero(reviewed | ~links.by(KEEPER))
    columns: dict[str, Any] = {
        "place": rows,
        "root": links.roots(rows),
        "parent": links.parent[rows],
        "method": pa.array(METHODS).take(pa.array(links.method[rows])),
        "reviewed": reviewed[rows],
    }
    for name in ("distance", "threshold", "correlation"):
        columns[name] = pa.array(getattr(links, name)[rows], pa.float32(), from_pandas=True)
    return pa.table(columns)


def _reviewed(links: Links) -> "NDArray[np.bool_]":
    """Return which rows a person's decision has joined, kept apart or confirmed."""
    keeper, reviewed = links.by(KEEPER), links.by(Method.REVIEW)
    if links.parting is not None:
        # Of a pair the later row is the one that is kept or leaves by it.
        for pairs, kept in ((links.parting.same, False), (links.parting.different, True)):
            later = np.array([max(pair) for pair in pairs], np.int64)
            reviewed[later[keeper[later] == kept]] = True
    return reviewed


def _held(engine: TableEngine, links: Links) -> pa.Table:
    """Return clusters (`root`) that are held together, with the number of their `component`."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    tied = engine.table(TIED)
    ties = np.stack([_numbers(tied, "root"), _numbers(tied, "first")], axis=1)
    edges = np.concatenate([ties, links.sibling_clusters()])
    roots, ends = np.unique(edges, return_inverse=True)
    rows, columns = ends.reshape(-1, 2).T
    graph = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(len(roots),) * 2)
    _, component = connected_components(graph, directed=False)
    return pa.table({"root": roots, "component": component})


def _nearest_siblings(links: Links) -> pa.Table:
    """Return for each image with siblings the one that it differs from least, and by how much."""
    sides = np.concatenate([links.siblings, links.siblings[:, ::-1]])
    changed = np.tile(links.changed, 2)
    root = links.roots(sides)
    apart = root[:, 0] != root[:, 1]
    sides, changed = sides[apart], changed[apart]
    order = np.lexsort((sides[:, 1], changed, sides[:, 0]))
    places, begins = np.unique(sides[order, 0], return_index=True)
    nearest = order[begins]
    score = pa.array(changed[nearest], pa.float32(), from_pandas=True)
    return pa.table({"place": places, "sibling": sides[nearest, 1], "score": score})
