"""Labels before and after curation, in the order of their taxonomy."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.report import charts
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.stages.binarize import taxonomy_of
from webemo_curate.taxonomies import Taxonomy
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

MAX_DRAWN = 60
"""A user's table may have thousands of labels: those with most lines are drawn, all are listed."""


@dataclass(frozen=True)
class LabelRow:
    """A label, the groups above it, and how often it stands before and after."""

    name: str
    above: str
    listed: int
    final: int


@dataclass(frozen=True)
class Labels:
    """The labels in their taxonomy's order.

    Attributes
    ----------
    rows
        One a label.
    chart
        SVG of the commonest `drawn` of them.
    drawn
        How many.
    """

    rows: list[LabelRow]
    chart: str
    drawn: int


def labels(work: WorkContext) -> Labels | None:
    """Count the labels of listed lines and of final images; None until there are splits."""
    workspace = work.workspace
    if not all(map(workspace.has, ("listing", *Split))):
        return None
    listing = workspace.read("listing", ["label", "emotion"])
    listed, final = _counted([listing["label"]]), _counted(_split_labels(workspace))
    grouped = listing["emotion"].null_count < listing.num_rows
    taxonomy = taxonomy_of(work.config.listing.taxonomy, sorted(listed | final), grouped)
    above = _above(taxonomy)
    rows = [
        LabelRow(name, " / ".join(above.get(name, ())), listed[name], final[name])
        for name in sorted(listed | final, key=lambda name: (above.get(name, ()), name))
    ]
    most = sorted(rows, key=lambda row: -row.listed)[:MAX_DRAWN]
    drawn = [row for row in rows if row in most]
    chart = charts.label_bars(
        [f"{row.above} / {row.name}" if row.above else row.name for row in drawn],
        *([getattr(row, count) for row in drawn] for count in ("listed", "final")),
    )
    return Labels(rows, chart, len(drawn))


def _above(taxonomy: Taxonomy) -> dict[str, tuple[str, ...]]:
    """Return the groups above each label, the highest first."""
    return {chain[0]: chain[:0:-1] for chain in taxonomy.chains}


def _split_labels(workspace: Workspace) -> Iterable[pa.ChunkedArray]:
    return (workspace.read(split, ["label"])["label"] for split in Split)


def _counted(columns: Iterable[pa.ChunkedArray]) -> Counter[str]:
    """Count the values of columns; rows without a label are left out."""
    counts: Counter[str] = Counter()
    for column in columns:
        pairs = pc.value_counts(column.cast(pa.string()).drop_null().combine_chunks())
        counts.update({pair["values"]: pair["counts"] for pair in pairs.to_pylist()})
    return counts
