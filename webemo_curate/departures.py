"""Every URL or image that left the pipeline, by queries over the gates' manifests."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from webemo_curate.accounting import NOT_SELECTED
from webemo_curate.gates import GATES, Gate, Reader
from webemo_curate.table_engine import TableEngine

BEGIN: Final = """
create table departures (
    stage varchar, reason varchar, url varchar, sha256 varchar,
    listed_rows bigint, score double, threshold double, "by" varchar
)
"""

URLS: Final = """
create table judged as -- every distinct URL; a limit leaves some without a row
with urls as (select url, count(*) as listed_rows from listing group by url)
select urls.url, listed_rows, sha256,
    case
        when {manifest}.url is null then $not_selected
        when not list_contains($passes, {verdict}) then {verdict}
    end as reason
from urls left join {manifest} using (url)
"""

URLS_LEFT: Final = """
insert into departures
select $stage, reason, url, null, listed_rows, null, null, null
from judged where reason is not null
"""

URLS_PASSED: Final = """
create table passed as -- from here on images: all URLs of the same bytes together
select sha256, sum(listed_rows)::bigint as listed_rows from judged where reason is null
group by sha256
"""

IMAGES: Final = """
create or replace table judged as
select passed.sha256, listed_rows,
    case when not list_contains($passes, {verdict}::varchar) then {reason} end as reason,
    {score}::double as score, {threshold}::double as threshold, {decided_by}::varchar as "by"
from passed join {manifest} on {manifest}.{key} = passed.sha256
"""

IMAGES_LEFT: Final = """
insert into departures
select $stage, reason, null, sha256, listed_rows, score, threshold, "by"
from judged where reason is not null
"""

IMAGES_PASSED: Final = """
create or replace table passed as select sha256, listed_rows from judged where reason is null
"""

DEPARTURES: Final = """
select * exclude "by",
    case when (select bool_or("by" = 'review') from departures)
        then coalesce("by", 'rule') end as "by"
from departures
order by stage, reason, url nulls last, sha256 nulls last
"""


def read_of(gates: Iterable[Gate]) -> dict[str, tuple[str, ...]]:
    """Return the manifests that are read for some gates, with the columns of each."""
    read = {g.manifest: (*g.columns, *filter(None, [g.decided_by])) for g in gates}
    return {"listing": ("url",), **read}


def departures(engine: TableEngine, gates: Sequence[Gate] = GATES) -> pa.Table:
    """List every URL or image that left, with stage, reason and the listed rows it stands for.

    Parameters
    ----------
    engine : TableEngine
        Holds the manifests of `read_of(gates)`.
    gates : sequence of Gate
        Those that rows come to, in their order; by default all.

    Returns
    -------
    pa.Table
        The columns of `schemas.DECISIONS`, in the manifest's order.
    """
    engine.make(BEGIN)
    for gate in gates:
        if gate.by == "url":
            engine.make(_named(URLS, gate), passes=_passes(gate), not_selected=NOT_SELECTED)
            left, passed = URLS_LEFT, URLS_PASSED
        else:
            engine.make(_named(IMAGES, gate), passes=_passes(gate))
            left, passed = IMAGES_LEFT, IMAGES_PASSED
        engine.make(left, stage=gate.stage)
        engine.make(passed)
    return engine.table(DEPARTURES)


def decide(read: Reader, root: Path, gates: Sequence[Gate] = GATES) -> pa.Table:
    """List what left by manifests that are read elsewhere; see `departures`.

    Parameters
    ----------
    read : callable
        `read(name, columns)` returns columns of a manifest; all must be there.
    root : Path
        A workspace's local folder, for what does not fit in memory.
    gates : sequence of Gate
        As for `departures`.

    Returns
    -------
    pa.Table
        As of `departures`.
    """
    tables = {name: read(name, [*columns]) for name, columns in read_of(gates).items()}
    with TableEngine(root, tables) as engine:
        return departures(engine, gates)


def _named(sql: str, gate: Gate) -> str:
    """Put a gate's manifest and columns, which are names of this package, into a query."""
    verdict = f'"{gate.manifest}"."{gate.verdict}"'
    reason = f"'{gate.reason}'" if gate.reason else f"{verdict}::varchar"
    return sql.format(
        manifest=f'"{gate.manifest}"',
        key=gate.key,
        verdict=verdict,
        reason=reason,
        score=gate.score or "null",
        threshold=gate.threshold or "null",
        decided_by=f'"{gate.decided_by}"' if gate.decided_by else "null",
    )


def _passes(gate: Gate) -> list[str]:
    """Return the verdicts of rows that go on, as SQL writes them."""
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in gate.passes]
