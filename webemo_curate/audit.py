"""Recount the manifests against each other: rows end once, groups stay whole."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from webemo_curate.accounting import Passage, passages
from webemo_curate.departures import decide
from webemo_curate.gates import Gate, Reader, gates_of
from webemo_curate.schemas import MANIFESTS
from webemo_curate.verdicts import Split

ALL = set(MANIFESTS)
EXAMPLES = 3
"""Rows named in a message about many."""


def discrepancies(read: Reader, root: Path, present: set[str] = ALL) -> list[str]:
    """Check that every listed row ends exactly once, and that `decisions` says the same.

    Parameters
    ----------
    read : callable
        As for `passages`.
    root : Path
        The workspace's local folder.
    present : set of str
        Manifests that are there; those of optional gates may be missing.

    Returns
    -------
    list of str
        What does not add up, a sentence each; empty if all does.
    """
    way = list(passages(read, present))
    problems = [_lost(passage) for passage in way]
    kept = way[-1].passed
    problems += [_split_mismatch(read, set(kept["sha256"])), _shared_groups(read)]
    problems.append(_decisions_mismatch(read, root, gates_of(present)))
    problems.append(_sum_mismatch(read, int(kept["listed_rows"].sum())))
    return [problem for problem in problems if problem]


def _lost(passage: Passage) -> str | None:
    if passage.lost.empty:
        return None
    names = ", ".join(passage.lost[passage.gate.by].head(EXAMPLES))
    lines = int(passage.lost["listed_rows"].sum())
    return f"{lines} listed rows end nowhere: '{passage.gate.manifest}' has no row for {names}"


def _split_mismatch(read: Reader, kept: set[str]) -> str | None:
    found = Counter(sha for split in Split for sha in read(split, ["sha256"])["sha256"].to_pylist())
    twice = sorted(sha for sha, count in found.items() if count > 1)
    absent, strange = sorted(kept - set(found)), sorted(set(found) - kept)
    if not (twice or absent or strange):
        return None
    return (
        f"the splits differ from the sample: {len(absent)} images missing, {len(strange)} that "
        f"were not kept, {len(twice)} in two places; for example "
        + ", ".join((absent + strange + twice)[:EXAMPLES])
    )


def _shared_groups(read: Reader) -> str | None:
    groups = {str(split): set(read(split, ["group"])["group"].to_pylist()) for split in Split}
    homes = Counter(group for members in groups.values() for group in members)
    shared = sorted(group for group, count in homes.items() if count > 1)
    if not shared:
        return None
    return f"{len(shared)} groups stand in two splits: " + ", ".join(shared[:EXAMPLES])


def _decisions_mismatch(read: Reader, root: Path, gates: Sequence[Gate]) -> str | None:
    """Compare the stored decisions with those that follow from the other manifests."""
    names = ["stage", "reason", "url", "sha256", "listed_rows", "by"]
    expected, stored = (
        _row_counts(decide(read, root, gates).select(names)),
        _row_counts(read("decisions", names)),
    )
    if expected == stored:
        return None
    absent, strange = (expected - stored).total(), (stored - expected).total()
    return f"'decisions' lacks {absent} rows that left and has {strange} that did not leave so"


def _row_counts(table: pa.Table) -> Counter[tuple[object, ...]]:
    return Counter(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _sum_mismatch(read: Reader, kept: int) -> str | None:
    listed = read("listing", ["url"]).num_rows
    left = sum(read("decisions", ["listed_rows"])["listed_rows"].to_pylist())
    if listed == kept + left:
        return None
    return f"{listed} rows are listed, but {kept} are kept and {left} left: {kept + left} in all"
