"""Lead every listed row through the gates, by queries over their manifests.

A row is first a URL, with the lines that list it. From the `images` manifest on it is an image,
with the lines of all URLs that served its bytes.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from webemo_curate.gates import Gate, gates_of

if TYPE_CHECKING:
    from webemo_curate.table_engine import TableEngine
    from webemo_curate.workspace import Workspace

NOT_SELECTED: Final = "not_selected"

LISTED: Final = """
create or replace table listed as -- every distinct URL, with the lines that list it
select url, count(*) as listed_rows from listing group by url
"""

URLS: Final = """
create or replace table judged as -- what the gate says of each; a limit left some without a row
select url, sha256, listed_rows, true as known,
    case
        when {manifest}.url is null then $not_selected
        when not list_contains($passes, {verdict}) then {verdict}
    end as reason,
    null::double as score, null::double as threshold, null::varchar as "by"
from listed left join {manifest} using (url)
"""

URLS_PASSED: Final = """
create or replace table passed as -- from here on images: all URLs of the same bytes together
select sha256, sum(listed_rows)::bigint as listed_rows from judged where reason is null
group by sha256
"""

IMAGES: Final = """
create or replace table judged as -- an image that the manifest does not know ends nowhere
select null::varchar as url, passed.sha256, listed_rows, {manifest}.{key} is not null as known,
    case when known and not list_contains($passes, {verdict}::varchar) then {reason} end as reason,
    {score}::double as score, {threshold}::double as threshold, {decided_by}::varchar as "by"
from passed left join {manifest} on {manifest}.{key} = passed.sha256
"""

IMAGES_PASSED: Final = """
create or replace table passed as
select sha256, listed_rows from judged where known and reason is null
"""


def read_of(gates: Iterable[Gate]) -> dict[str, tuple[str, ...]]:
    """Return the manifests to read for some gates, with the columns of each."""
    read = {g.manifest: (*g.columns, *filter(None, [g.decided_by])) for g in gates}
    return {"listing": ("url",), **read}


def gates_up_to(present: Collection[str]) -> tuple[Gate, ...]:
    """Return the gates that rows come to before the first whose manifest is missing."""
    gates = gates_of(present) if "listing" in present else ()
    missing = (place for place, gate in enumerate(gates) if gate.manifest not in present)
    return gates[: next(missing, len(gates))]


def scanned(workspace: "Workspace", gates: Iterable[Gate]) -> dict[str, Any]:
    """Open the manifests to read for some gates; see `manifest_scan.scan_manifest`."""
    return {name: workspace.scan(name, columns) for name, columns in read_of(gates).items()}


def walk(engine: "TableEngine", gates: Sequence[Gate]) -> Iterator[Gate]:
    """Lead every listed row through the gates.

    Parameters
    ----------
    engine : TableEngine
        Holds the manifests of `read_of(gates)`.
    gates : sequence of Gate
        The gates that rows come to, in order.

    Yields
    ------
    Gate
        Each in turn, while the table `judged` has a row for each URL or image that came to it. The
        rows that go on are in `passed` when the next gate is requested; `listed` is kept.
    """
    engine.make(LISTED)
    for gate in gates:
        passes = _passes(gate)
        if gate.by == "url":
            engine.make(_named(URLS, gate), passes=passes, not_selected=NOT_SELECTED)
        else:
            engine.make(_named(IMAGES, gate), passes=passes)
        yield gate
        engine.make(URLS_PASSED if gate.by == "url" else IMAGES_PASSED)


def _named(sql: str, gate: Gate) -> str:
    """Insert a gate's manifest and columns into a query; these names come from this package."""
    verdict = f'"{gate.manifest}"."{gate.verdict}"'
    reason = f"'{gate.reason}'" if gate.reason else f"{verdict}::varchar"
    if gate.own_reason:
        reason = f'coalesce("{gate.manifest}"."{gate.own_reason}"::varchar, {reason})'
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
    """Return the verdicts of rows that go on, as an SQL list."""
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in gate.passes]
