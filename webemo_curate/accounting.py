"""Account for every listed row: it ends in a split, or at a stage for a reason."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import pyarrow.compute as pc

from webemo_curate.gate_queries import gates_up_to, scanned, walk
from webemo_curate.gates import Gate, Reader
from webemo_curate.listing_keys import BAD, LOCAL, unit_of
from webemo_curate.schemas import MANIFESTS
from webemo_curate.table_engine import TableEngine
from webemo_curate.verdicts import BINARY, Split
from webemo_curate.workspace import Workspace

SAME_URL = "same_url"
SAME_BYTES = "same_bytes"

LINES: Final = "select coalesce(sum(listed_rows), 0)::bigint, count(*) from listed"

REASONS: Final = """
select reason, count(*) from judged where reason is not null
group by reason order by count(*) desc, reason
"""

REMAINING: Final = "select count(*) from judged where known and reason is null"

KINDS: Final = """
select coalesce(bool_or(starts_with(url, $local)), false),
    coalesce(bool_or(not starts_with(url, $local) and not starts_with(url, $bad)), false),
    count(*) > 0
from {table} where {chosen}
"""


@dataclass(frozen=True)
class FunnelStep:
    """The effect of one stage on the rows that reach it.

    Attributes
    ----------
    stage
        The stage's name.
    entered
        Number of rows that came in.
    left
        Numbers of rows that left, by reason.
    remaining
        Number of rows that go on.
    unit
        What a remaining row is: `images`, or before images are read `URLs`, `files` or both.
    """

    stage: str
    entered: int
    left: dict[str, int]
    remaining: int
    unit: str


@dataclass(frozen=True)
class Accounts:
    """The manifests that decide about rows, open to queries.

    Attributes
    ----------
    engine
        Runs the queries.
    gates
        The gates that rows come to, up to the first whose manifest is missing.
    """

    engine: TableEngine
    gates: tuple[Gate, ...]

    def way(self) -> Iterator[Gate]:
        """Lead rows through the gates; see `gate_queries.walk`."""
        return walk(self.engine, self.gates)

    def left(self) -> dict[str, int]:
        """Count the rows that left at the gate that `way` has led to: by reason, most first."""
        return dict(self.engine.rows(REASONS))

    def unit(self, table: str, chosen: str = "true", **given: object) -> str:
        """Return the word for what the URLs of a table's rows stand for."""
        sql = KINDS.format(table=table, chosen=chosen)
        ((local, remote, some),) = self.engine.rows(sql, local=LOCAL, bad=BAD, **given)
        return unit_of(local=local, remote=remote, some=some)


@contextmanager
def accounts(workspace: Workspace, memory: int | None = None) -> Iterator[Accounts]:
    """Open the manifests that decide about a workspace's rows while the block runs.

    Parameters
    ----------
    workspace : Workspace
        Holds the listing, and the manifests of the stages that have run.
    memory : int, optional
        See `TableEngine`.

    Yields
    ------
    Accounts
        For the gates whose manifests exist.
    """
    gates = gates_up_to({name for name in MANIFESTS if workspace.has(name)})
    with TableEngine(workspace.root, scanned(workspace, gates), memory) as engine:
        yield Accounts(engine, gates)


def listed_unit(workspace: Workspace) -> str:
    """Return the word for what a workspace's listing holds; see `listing_keys.unit_of`."""
    with accounts(workspace) as opened:
        return opened.unit("listing")


def funnel(workspace: Workspace, memory: int | None = None) -> list[FunnelStep]:
    """Count what each stage took in, dropped and passed on.

    Parameters
    ----------
    workspace : Workspace
        Holds the manifests; not all stages need to have run.
    memory : int, optional
        See `TableEngine`.

    Returns
    -------
    list of FunnelStep
        First the merging of listed lines into URLs, then a step for each gate passed; empty if
        there is no listing.
    """
    if not workspace.has("listing"):
        return []
    with accounts(workspace, memory) as opened:
        return funnel_steps(opened)


def funnel_steps(accounts: Accounts) -> list[FunnelStep]:
    """Count what each stage did, from open manifests; see `funnel`."""
    engine, steps, unit = accounts.engine, list[FunnelStep](), ""
    for gate in accounts.way():
        if not steps:
            unit = accounts.unit("listed")
            steps.append(_listing_step(engine, unit))
        steps.append(_step(accounts, gate, steps[-1].remaining, unit))
    return steps or [_listing_step(engine, accounts.unit("listed"))]


def split_counts(read: Reader, classes: int = BINARY) -> dict[str, dict[int, int]]:
    """Count the images of each split by target.

    Parameters
    ----------
    read : callable
        `read(name, columns)` returns columns of a manifest.
    classes : int, default 2
        Number of targets.

    Returns
    -------
    dict of str to dict of int to int
        Number of images, by split and target.
    """
    found: dict[str, dict[int, int]] = {}
    for split in map(str, Split):
        counted = pc.value_counts(read(split, ["target"])["target"].combine_chunks()).to_pylist()
        sizes = {pair["values"]: pair["counts"] for pair in counted}
        found[split] = {target: sizes.get(target, 0) for target in range(classes)}
    return found


def _listing_step(engine: TableEngine, unit: str) -> FunnelStep:
    ((lines, urls),) = engine.rows(LINES)
    return FunnelStep("listing", lines, _counted({SAME_URL: lines - urls}), urls, unit)


def _step(accounts: Accounts, gate: Gate, entered: int, unit: str) -> FunnelStep:
    left = accounts.left()
    ((remaining,),) = accounts.engine.rows(REMAINING)
    if gate.manifest == "images":
        left[SAME_BYTES] = entered - remaining - sum(left.values())
    unit = "images" if gate.by == "sha256" else unit
    return FunnelStep(gate.stage, entered, _counted(left), remaining, unit)


def _counted(reasons: dict[str, int]) -> dict[str, int]:
    """Drop reasons without rows; sort by frequency, the most frequent first."""
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return {reason: count for reason, count in ordered if count}
