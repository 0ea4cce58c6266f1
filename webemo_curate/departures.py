"""List every URL or image that left the pipeline, by queries over the gates' manifests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from webemo_curate.gate_queries import read_of, walk
from webemo_curate.gates import GATES, Gate, Reader
from webemo_curate.table_engine import TableEngine

BEGIN: Final = """
create table departures (
    stage varchar, reason varchar, url varchar, sha256 varchar,
    listed_rows bigint, score double, threshold double, "by" varchar
)
"""

LEFT: Final = """
insert into departures
select $stage, reason, case when $by = 'url' then url end, case when $by = 'sha256' then sha256 end,
    listed_rows, score, threshold, "by"
from judged where reason is not null
"""

DEPARTURES: Final = """
select * exclude "by",
    case when (select bool_or("by" = 'review') from departures)
        then coalesce("by", 'rule') end as "by"
from departures
"""

ORDERED: Final = f"{DEPARTURES} order by stage, reason, url nulls last, sha256 nulls last"


def departures(engine: TableEngine, gates: Sequence[Gate] = GATES) -> pa.Table:
    """List every URL or image that left, with the stage, the reason and the number of listed rows.

    Parameters
    ----------
    engine : TableEngine
        Holds the manifests of `read_of(gates)`.
    gates : sequence of Gate
        The gates that rows come to, in order; by default all.

    Returns
    -------
    pa.Table
        With the columns of `schemas.DECISIONS`, in the manifest's order.
    """
    engine.make(BEGIN)
    for gate in walk(engine, gates):
        note_left(engine, gate)
    return engine.table(ORDERED)


def note_left(engine: TableEngine, gate: Gate) -> None:
    """Add what left at a gate to the table `departures`, which `BEGIN` creates."""
    engine.make(LEFT, stage=gate.stage, by=gate.by)


def decide(read: Reader, root: Path, gates: Sequence[Gate] = GATES) -> pa.Table:
    """List what left, from manifests read by the caller; see `departures`.

    Parameters
    ----------
    read : callable
        `read(name, columns)` returns columns of a manifest; all manifests must exist.
    root : Path
        A workspace's local folder, for tables that do not fit in memory.
    gates : sequence of Gate
        See `departures`.

    Returns
    -------
    pa.Table
        See `departures`.
    """
    tables = {name: read(name, [*columns]) for name, columns in read_of(gates).items()}
    with TableEngine(root, tables) as engine:
        return departures(engine, gates)
