"""Where every listed row ends: in a split, or at a stage for a reason. The counts must add up."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from webemo_curate.frames import to_frame
from webemo_curate.manifest import conform
from webemo_curate.schemas import (
    DECISIONS,
    MANIFESTS,
    DecodeStatus,
    DuplicateVerdict,
    FetchStatus,
    LabelVerdict,
    Split,
    TextVerdict,
)

if TYPE_CHECKING:
    import pandas as pd

NOT_SELECTED = "not_selected"
SURPLUS = "surplus"
SAME_URL = "same_url"
SAME_BYTES = "same_bytes"
EXAMPLES = 3
"""Rows named in a message about many."""

Reader = Callable[[str, list[str]], pa.Table]
"""Gives the named columns of a manifest."""


@dataclass(frozen=True)
class Gate:
    """How one manifest lets rows pass or leave.

    Attributes
    ----------
    stage
        Stage that decides.
    manifest
        Where its verdicts stand.
    key
        The manifest's column that names a row.
    verdict
        The column with the verdict.
    passes
        The verdict of a row that goes on.
    reason
        Reason given for every other row; None if the verdict is itself the reason.
    score, threshold
        Columns with what was measured and what it was held against.
    """

    stage: str
    manifest: str
    key: str
    verdict: str
    passes: object
    reason: str | None = None
    score: str | None = None
    threshold: str | None = None

    @property
    def by(self) -> str:
        """Whether rows come here as URLs (`url`) or as images (`sha256`)."""
        return "url" if self.key == "url" else "sha256"

    def verdicts(self, read: Reader) -> "pd.DataFrame":
        """Return the manifest as a frame of key, reason (missing: passes), score and threshold."""
        extra = ["sha256"] if self.by == "url" else []
        scores = [name for name in (self.score, self.threshold) if name]
        frame = to_frame(read(self.manifest, [self.key, self.verdict, *extra, *scores]))
        verdict = frame[self.verdict].astype(object)
        reasons = verdict if self.reason is None else verdict.map(lambda _: self.reason)
        columns = {self.key: self.by, self.score: "score", self.threshold: "threshold"}
        frame = frame.drop(columns=self.verdict).rename(columns=columns)
        marked: pd.DataFrame = frame.assign(reason=reasons.where(verdict != self.passes))
        return marked


GATES = (
    Gate("fetch", "fetch", "url", "status", FetchStatus.OK),
    Gate("images", "images", "sha256", "decode_status", DecodeStatus.OK),
    Gate("text", "text", "sha256", "verdict", TextVerdict.CLEAN, None, "score", "threshold"),
    Gate(
        "dedup",
        "duplicates",
        "sha256",
        "verdict",
        DuplicateVerdict.KEEPER,
        None,
        "distance",
        "threshold",
    ),
    Gate("binarize", "labels", "cluster", "verdict", LabelVerdict.KEPT),
    Gate("undersample", "sample", "sha256", "kept", True, SURPLUS),
)
"""The gates in the order in which a row comes to them."""


@dataclass(frozen=True)
class Passage:
    """What came of the rows at one gate; each frame has a row for a distinct URL.

    Attributes
    ----------
    gate
        The gate.
    left
        Rows that leave, with `reason`, `score` and `threshold`.
    lost
        Rows of which the manifest says nothing: a fault, unless fetching was limited.
    passed
        Rows that go on.
    """

    gate: Gate
    left: "pd.DataFrame"
    lost: "pd.DataFrame"
    passed: "pd.DataFrame"


@dataclass(frozen=True)
class FunnelStep:
    """What one stage did to the rows that came to it.

    Attributes
    ----------
    stage
        The stage's name.
    entered
        Rows that came in.
    left
        Rows that left, by reason.
    remaining
        Rows that go on.
    unit
        What a remaining row is: `URLs` or `images`.
    """

    stage: str
    entered: int
    left: dict[str, int]
    remaining: int
    unit: str


def passages(read: Reader, present: set[str]) -> Iterator[Passage]:
    """Lead every distinct URL of the listing through the gates.

    Parameters
    ----------
    read : callable
        `read(name, columns)` returns columns of a manifest.
    present : set of str
        Manifests that are there; the way ends before the first that is missing.

    Yields
    ------
    Passage
        One for each gate.
    """
    rows = _listed(read)
    for gate in GATES:
        if gate.manifest not in present:
            return
        passage = _pass(rows, gate, gate.verdicts(read))
        yield passage
        rows = passage.passed


def decide(read: Reader) -> pa.Table:
    """List every URL or image that left, with stage, reason and the listed rows it stands for.

    Parameters
    ----------
    read : callable
        As for `passages`; all manifests must be there.

    Returns
    -------
    pa.Table
        Schema `schemas.DECISIONS`.
    """
    import pandas as pd

    left = pd.concat([_by_row(passage) for passage in passages(read, set(MANIFESTS))])
    table = pa.Table.from_pandas(left[DECISIONS.names], preserve_index=False)
    return conform(table, DECISIONS)


def funnel(read: Reader, present: set[str]) -> list[FunnelStep]:
    """Count what each stage took in, dropped and passed on.

    Parameters
    ----------
    read : callable
        As for `passages`.
    present : set of str
        Manifests that are there.

    Returns
    -------
    list of FunnelStep
        The listing's merging of lines into URLs, then a step for each gate passed.
    """
    if "listing" not in present:
        return []
    listed = _listed(read)
    lines, urls = int(listed["listed_rows"].sum()), len(listed)
    steps = [FunnelStep("listing", lines, _counted({SAME_URL: lines - urls}), urls, "URLs")]
    for passage in passages(read, present):
        steps.append(_step(passage, steps[-1].remaining))
    return steps


def discrepancies(read: Reader) -> list[str]:
    """Check that every listed row ends exactly once, and that `decisions` says the same.

    Parameters
    ----------
    read : callable
        As for `passages`; all manifests must be there.

    Returns
    -------
    list of str
        What does not add up, a sentence each; empty if all does.
    """
    way = list(passages(read, set(MANIFESTS)))
    problems = [_lost(passage) for passage in way]
    kept = way[-1].passed
    problems += [_split_mismatch(read, set(kept["sha256"])), _shared_groups(read)]
    problems.append(_decisions_mismatch(read))
    problems.append(_sum_mismatch(read, int(kept["listed_rows"].sum())))
    return [problem for problem in problems if problem]


def split_counts(read: Reader) -> dict[str, dict[int, int]]:
    """Count the images of each split by target.

    Parameters
    ----------
    read : callable
        As for `passages`.

    Returns
    -------
    dict of str to dict of int to int
        Split -> target -> images.
    """
    targets = {str(split): read(split, ["target"])["target"].to_pylist() for split in Split}
    return {split: {t: values.count(t) for t in (0, 1)} for split, values in targets.items()}


def _listed(read: Reader) -> "pd.DataFrame":
    lines = to_frame(read("listing", ["url"]))
    counts: pd.Series[int] = lines.value_counts("url", sort=False)
    return counts.rename("listed_rows").reset_index()


def _pass(rows: "pd.DataFrame", gate: Gate, verdicts: "pd.DataFrame") -> Passage:
    joined = rows.merge(verdicts, on=gate.by, how="left", indicator=True)
    known = joined.pop("_merge") == "both"
    leaves = known & joined["reason"].notna()
    lost = joined[~known]
    if gate.manifest == "fetch":
        # The fetch manifest has no row for URLs that a limit left out: they leave here.
        leaves = leaves | ~known
        joined["reason"] = joined["reason"].astype(object).mask(~known, NOT_SELECTED)
        lost = joined.iloc[:0]
    verdict_columns = ["reason", "score", "threshold"]
    passed = joined[known & ~leaves].drop(columns=verdict_columns, errors="ignore")
    return Passage(gate, joined[leaves], lost, passed)


def _by_row(passage: Passage) -> "pd.DataFrame":
    """Shape what left at a gate as decisions: a row for each URL or image."""
    left = passage.left.assign(stage=passage.gate.stage)
    for name in {"score", "threshold"} - set(left.columns):
        left[name] = None
    if passage.gate.by == "url":
        return left.assign(sha256=None)
    counts = {"listed_rows": "sum"} | dict.fromkeys(
        ["reason", "stage", "score", "threshold"], "first"
    )
    images: pd.DataFrame = left.groupby("sha256", sort=False).agg(counts).reset_index()
    return images.assign(url=None)


def _step(passage: Passage, entered: int) -> FunnelStep:
    gate = passage.gate
    images = gate.by == "sha256"
    rows = passage.left.drop_duplicates("sha256") if images else passage.left
    left = Counter(rows["reason"].astype(str))
    remaining = passage.passed["sha256"].nunique() if images else len(passage.passed)
    if gate.manifest == "images":
        left[SAME_BYTES] = entered - remaining - sum(left.values())
    unit = "images" if images else "URLs"
    return FunnelStep(gate.stage, entered, _counted(left), remaining, unit)


def _counted(reasons: dict[str, int]) -> dict[str, int]:
    """Drop reasons of no rows; the commonest first."""
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return {reason: count for reason, count in ordered if count}


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


def _decisions_mismatch(read: Reader) -> str | None:
    """Compare the stored decisions with those that follow from the other manifests."""
    names = ["stage", "reason", "url", "sha256", "listed_rows"]
    expected, stored = (
        _row_counts(decide(read).select(names)),
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
