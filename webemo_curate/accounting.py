"""Account for every listed row: it ends in a split, or at a stage for a reason."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from webemo_curate.frames import to_frame
from webemo_curate.gates import Gate, Reader, gates_of
from webemo_curate.listing_keys import unit_of
from webemo_curate.verdicts import BINARY, Split

if TYPE_CHECKING:
    import pandas as pd

NOT_SELECTED = "not_selected"
SAME_URL = "same_url"
SAME_BYTES = "same_bytes"


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
        What a remaining row is: `images`; before they are looked at `URLs`, `files` or both.
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
    for gate in gates_of(present):
        if gate.manifest not in present:
            return
        passage = _pass(rows, gate, gate.verdicts(read))
        yield passage
        rows = passage.passed


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
    unit = unit_of(listed["url"])
    steps = [FunnelStep("listing", lines, _counted({SAME_URL: lines - urls}), urls, unit)]
    for passage in passages(read, present):
        steps.append(_step(passage, steps[-1].remaining, unit))
    return steps


def split_counts(read: Reader, classes: int = BINARY) -> dict[str, dict[int, int]]:
    """Count the images of each split by target.

    Parameters
    ----------
    read : callable
        As for `passages`.
    classes : int, default 2
        Number of targets.

    Returns
    -------
    dict of str to dict of int to int
        Split -> target -> images.
    """
    targets = {str(split): read(split, ["target"])["target"].to_pylist() for split in Split}
    return {
        split: {t: values.count(t) for t in range(classes)} for split, values in targets.items()
    }


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


def _step(passage: Passage, entered: int, unit: str) -> FunnelStep:
    gate = passage.gate
    images = gate.by == "sha256"
    rows = passage.left.drop_duplicates("sha256") if images else passage.left
    left = Counter(rows["reason"].astype(str))
    remaining = passage.passed["sha256"].nunique() if images else len(passage.passed)
    if gate.manifest == "images":
        left[SAME_BYTES] = entered - remaining - sum(left.values())
    return FunnelStep(gate.stage, entered, _counted(left), remaining, "images" if images else unit)


def _counted(reasons: dict[str, int]) -> dict[str, int]:
    """Drop reasons of no rows; the commonest first."""
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return {reason: count for reason, count in ordered if count}
