"""The report's sections on the set as a whole: head, funnel, splits, origin of the manifests."""

import json
from dataclasses import dataclass
from typing import Final

from webemo_curate.accounting import FunnelStep, split_counts
from webemo_curate.report.run_sections import RunSection
from webemo_curate.schemas import MANIFESTS
from webemo_curate.table_engine import TableEngine
from webemo_curate.verdicts import Split, is_binary
from webemo_curate.workspace import Workspace

SIZES: Final = 'select count(*), count(distinct label), count(distinct "group") from {split}'


@dataclass(frozen=True)
class SplitRow:
    """Size of one split, in all and of each class, and its labels and groups."""

    name: str
    images: int
    sizes: list[int]
    labels: int
    groups: int


@dataclass(frozen=True)
class Tile:
    """One figure at the head of the page."""

    name: str
    value: str


def headline(
    steps: list[FunnelStep],
    splits: list[SplitRow],
    runs: list[RunSection],
    classes: tuple[str, ...],
) -> list[Tile]:
    """Return what a reader wants to know first, as far as stages have run."""
    if not steps:
        return []
    tiles = [
        Tile("listed lines", f"{steps[0].entered:,}"),
        Tile(f"{steps[-1].unit} remaining", f"{steps[-1].remaining:,}"),
    ]
    if splits:
        images = sum(row.images for row in splits) or 1
        positive = sum(row.sizes[1] for row in splits) / images
        binary = is_binary(classes)
        tiles.append(
            Tile("positive", f"{positive:.1%}") if binary else Tile("classes", str(len(classes)))
        )
    measured = [(run.name, run.metrics["accuracy"]) for run in runs if run.metrics]
    if measured:
        name, accuracy = measured[-1]  # others may be of other networks and splits: no mean
        tiles.append(Tile(f"accuracy on test of {name}", f"{accuracy:.1%}"))
    return tiles


def split_rows(workspace: Workspace, memory: int | None) -> list[SplitRow]:
    """Return a row for each split, counted within `memory`; empty until there are splits."""
    if not all(map(workspace.has, Split)):
        return []
    tables = {str(split): workspace.scan(split, ["label", "group"]) for split in Split}
    targets = split_counts(workspace.read, len(workspace.classes(Split.TRAIN)))
    with TableEngine(workspace.root, tables, memory) as engine:
        return [_split_row(engine, split, sizes) for split, sizes in targets.items()]


def _split_row(engine: TableEngine, split: str, sizes: dict[int, int]) -> SplitRow:
    ((images, labels, groups),) = engine.rows(SIZES.format(split=split))
    return SplitRow(split, images, [*sizes.values()], labels, groups)


def origins(workspace: Workspace) -> list[tuple[str, int, str, str]]:
    """Return name, rows, digest and configuration of each manifest that is there."""
    infos = {name: workspace.info(name) for name in MANIFESTS}
    return [
        (name, info.rows, info.digest, json.dumps(info.origin.configuration, sort_keys=True))
        for name, info in infos.items()
        if info is not None
    ]
