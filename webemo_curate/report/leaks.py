"""The leak table: what splits share with one another, and what external sets share with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import pyarrow as pa

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.margins import pair_margins
from webemo_curate.duplicates.stored_pairs import from_table, named_images
from webemo_curate.manifest import MARKS, SHARED
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.table_engine import TableEngine
from webemo_curate.verdicts import Split
from webemo_curate.verification import further_manifests
from webemo_curate.workspace import Workspace

HOMES = """
create table homes as
select sha256, "group", 'train' as split from train
union all select sha256, "group", 'validation' from validation
union all select sha256, "group", 'test' from test
"""

CROSSING = """
select
    (select count(*) from homes a join homes b using (sha256)
     where a.split = $one and b.split = $other),
    (select count(distinct i.pixel_hash) from homes a join images i using (sha256)
     join images j using (pixel_hash) join homes b on b.sha256 = j.sha256
     where a.split = $one and b.split = $other and a.sha256 <> b.sha256),
    (select count(*) from same join homes a on a.sha256 = same.first
     join homes b on b.sha256 = same.second
     where (a.split, b.split) in (($one, $other), ($other, $one))),
    (select count(distinct "group") from homes a join homes b using ("group")
     where a.split = $one and b.split = $other)
"""

OUTSIDE = """
with hits as (
    select path, split, bool_or(not sibling and homes.sha256 = cluster) as same
    from matches join duplicates on duplicates.sha256 = matched
    join homes on homes."group" = matches."group"
    group by path, split
)
select split, count(*) filter (same), count(*) filter (not same) from hits group by split
"""


@dataclass(frozen=True)
class Crossing:
    """What two splits share; all 0 in a sound workspace.

    Attributes
    ----------
    one, other
        The splits.
    files, pixels
        Images of equal bytes, and pictures of equal pixels in different files.
    pairs
        Measured pairs that are the same picture by the limits of the duplicate search.
    groups
        Groups of related pictures: one sitting, one stock asset.
    """

    one: str
    other: str
    files: int
    pixels: int
    pairs: int
    groups: int


@dataclass(frozen=True)
class Outside:
    """What an external set shares with one split.

    Attributes
    ----------
    name, split
        The set, and the split.
    same
        Its images whose picture is in the split.
    siblings
        Its other images of which the split has another picture of the group.
    """

    name: str
    split: str
    same: int
    siblings: int


@dataclass(frozen=True)
class Leaks:
    """The table's rows."""

    crossings: list[Crossing]
    outside: list[Outside]


def leaks(work: WorkContext) -> Leaks | None:
    """Count what stands in two places of which training and testing each have one.

    Parameters
    ----------
    work : WorkContext
        Its workspace has the manifests.

    Returns
    -------
    Leaks or None
        None until there are splits.
    """
    workspace = work.workspace
    if not all(map(workspace.has, (*Split, "images", "duplicates"))):
        return None
    tables = {str(split): workspace.scan(split, ["sha256", "group"]) for split in Split}
    tables["duplicates"] = workspace.scan("duplicates", ["sha256", "cluster"])
    tables["images"] = workspace.scan("images", ["sha256", "pixel_hash"])
    with TableEngine(workspace.root, tables, work.config.memory) as engine:
        engine.add("same", _same(workspace, work.config.dedup))
        engine.make(HOMES)
        crossings = [
            Crossing(one, other, *engine.rows(CROSSING, one=one, other=other)[0])
            for one, other in combinations(map(str, Split), 2)
        ]
        return Leaks(crossings, [*_outside(workspace, engine)])


def _same(workspace: Workspace, config: DedupConfig) -> pa.Table:
    """Return the measured pairs that are the same picture."""
    columns = pa.schema([("first", pa.string()), ("second", pa.string())])
    if not workspace.has("pairs"):
        return columns.empty_table()
    table = workspace.read("pairs")
    same = pair_margins(from_table(table, named_images(table)), config).margin >= 0
    return table.select(columns.names).filter(pa.array(same)).group_by(columns.names).aggregate([])


def _outside(workspace: Workspace, engine: TableEngine) -> Iterator[Outside]:
    columns = ["path", "matched", "group", "sibling"]
    names = sorted(name for name in further_manifests(workspace) if name.startswith(MARKS))
    for name in names:
        engine.add("matches", workspace.read_as(SHARED, name, columns))
        found = {split: counts for split, *counts in engine.rows(OUTSIDE)}
        for split in map(str, Split):
            yield Outside(name.removeprefix(MARKS), split, *found.get(split, (0, 0)))
