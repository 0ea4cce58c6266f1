"""Check the manifests against each other: each row ends once, and groups stay whole."""

from typing import Any, Final

from webemo_curate.accounting import Accounts
from webemo_curate.departures import BEGIN, DEPARTURES, note_left
from webemo_curate.gate_queries import gates_up_to, scanned
from webemo_curate.gates import Gate
from webemo_curate.schemas import MANIFESTS
from webemo_curate.table_engine import TableEngine
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

EXAMPLES: Final = 3
"""Most rows named in a message."""

DECISIONS: Final = ("stage", "reason", "url", "sha256", "listed_rows", "by")

LOST: Final = "select coalesce(sum(listed_rows), 0)::bigint from judged where not known"

LOST_NAMES: Final = "select sha256 from judged where not known order by sha256 limit $some"

PLACED: Final = """
create table placed as -- the images of the splits, each with how often it stands there
with rows as (
    select sha256 from train union all select sha256 from validation
    union all select sha256 from test
)
select sha256, count(*) as times from rows group by sha256
"""

MISPLACED: Final = """
create table misplaced as -- what was kept and stands nowhere, or was not, or stands in two places
select coalesce(placed.sha256, passed.sha256) as sha256,
    placed.sha256 is null as absent, passed.sha256 is null as strange, times > 1 as twice
from placed full join passed using (sha256)
where absent or strange or twice
"""

MISPLACED_COUNTS: Final = """
select count(*) filter (absent), count(*) filter (strange), count(*) filter (twice) from misplaced
"""

MISPLACED_NAMES: Final = """
select sha256 from misplaced order by not absent, not strange, sha256 limit $some
"""

SHARED: Final = """
create table shared as -- groups that stand in more than one split
with homes as (
    select distinct "group", 'train' as split from train
    union all select distinct "group", 'validation' from validation
    union all select distinct "group", 'test' from test
)
select "group" from homes group by "group" having count(*) > 1
"""

SHARED_NAMES: Final = 'select "group" from shared order by "group" limit $some'

UNLIKE: Final = """
with sides as ( -- what leaves by the other manifests, less what is said to
    select {names}, 1 as side from ({departures})
    union all select {names}, -1 from decisions
), unlike as (
    select sum(side) as surplus from sides group by {names} having sum(side) <> 0
)
select coalesce(sum(surplus) filter (surplus > 0), 0)::bigint,
    coalesce(-sum(surplus) filter (surplus < 0), 0)::bigint
from unlike
"""

SUMS: Final = """
select (select count(*) from listing),
    (select coalesce(sum(listed_rows), 0)::bigint from passed),
    (select coalesce(sum(listed_rows), 0)::bigint from decisions)
"""


def discrepancies(workspace: Workspace, memory: int | None = None) -> list[str]:
    """Check that every listed row ends exactly once, and that `decisions` says the same.

    Parameters
    ----------
    workspace : Workspace
        All stages must have run; manifests of optional gates may be missing.
    memory : int, optional
        See `TableEngine`.

    Returns
    -------
    list of str
        Each discrepancy as a sentence; empty if everything adds up.
    """
    gates = gates_up_to({name for name in MANIFESTS if workspace.has(name)})
    tables = scanned(workspace, gates)
    tables |= {str(split): workspace.scan(split, ["sha256", "group"]) for split in Split}
    tables["decisions"] = workspace.scan("decisions", DECISIONS)
    with TableEngine(workspace.root, tables, memory) as engine:
        return recounted(Accounts(engine, gates))


def recounted(accounts: Accounts) -> list[str]:
    """Check open manifests, the splits and `decisions` included; see `discrepancies`."""
    engine = accounts.engine
    engine.make(BEGIN)
    problems = []
    for gate in accounts.way():
        problems.append(_lost(engine, gate))
        note_left(engine, gate)
    checks = (_split_mismatch, _shared_groups, _decisions_mismatch, _sum_mismatch)
    problems += [check(engine) for check in checks]
    return [problem for problem in problems if problem]


def _lost(engine: TableEngine, gate: Gate) -> str | None:
    ((lines,),) = engine.rows(LOST)
    if not lines:
        return None
    names = _names(engine, LOST_NAMES)
    return f"{lines} listed rows end nowhere: '{gate.manifest}' has no row for {names}"


def _split_mismatch(engine: TableEngine) -> str | None:
    engine.make(PLACED)
    engine.make(MISPLACED)
    ((absent, strange, twice),) = engine.rows(MISPLACED_COUNTS)
    if not (twice or absent or strange):
        return None
    return (
        f"the splits differ from the sample: {absent} images missing, {strange} that "
        f"were not kept, {twice} in two places; for example {_names(engine, MISPLACED_NAMES)}"
    )


def _shared_groups(engine: TableEngine) -> str | None:
    engine.make(SHARED)
    shared = engine.count("shared")
    if not shared:
        return None
    return f"{shared} groups stand in two splits: {_names(engine, SHARED_NAMES)}"


def _decisions_mismatch(engine: TableEngine) -> str | None:
    """Compare the stored decisions with those that follow from the other manifests."""
    names = ", ".join(f'"{name}"' for name in DECISIONS)
    ((absent, strange),) = engine.rows(UNLIKE.format(names=names, departures=DEPARTURES))
    if not (absent or strange):
        return None
    return f"'decisions' lacks {absent} rows that left and has {strange} that did not leave so"


def _sum_mismatch(engine: TableEngine) -> str | None:
    ((listed, kept, left),) = engine.rows(SUMS)
    if listed == kept + left:
        return None
    return f"{listed} rows are listed, but {kept} are kept and {left} left: {kept + left} in all"


def _names(engine: TableEngine, sql: str) -> str:
    """Return some names from a query, formatted for a message."""
    rows: list[tuple[Any, ...]] = engine.rows(sql, some=EXAMPLES)
    return ", ".join(map(str, (name for (name,) in rows)))
