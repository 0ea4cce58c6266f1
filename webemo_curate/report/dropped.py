"""The report's list of what each stage dropped, reason by reason, with examples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.accounting import Passage, passages
from webemo_curate.listing_keys import unit_of
from webemo_curate.report.pictures import thumbnail
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.schemas import MANIFESTS
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.workspace import Workspace


@dataclass(frozen=True)
class Example:
    """A picture that left, with the reason.

    Attributes
    ----------
    picture
        Data URI.
    beside
        Data URI of the picture it is held against; None without one.
    caption
        What was measured, or what the picture is labeled.
    """

    picture: str
    beside: str | None
    caption: str


@dataclass(frozen=True)
class Dropped:
    """Rows that left at one stage for one reason.

    Attributes
    ----------
    stage
        The stage's name.
    reason
        The verdict.
    count
        URLs, files or images that left.
    unit
        What they are, in words.
    examples
        Some of them, as pictures.
    names
        Some of them by URL or hash, where there is no picture to show.
    """

    stage: str
    reason: str
    count: int
    unit: str
    examples: list[Example] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Details:
    """Where the facts about an image that left at a stage stand, and how they are shown.

    Attributes
    ----------
    manifest, key
        The manifest, and its column that holds the image's hash.
    caption
        Puts a row into words.
    beside
        Column with the hash of the picture that the row is held against; None without one.
    outlined
        Whether the row has text boxes to draw.
    """

    manifest: str
    key: str
    caption: Callable[[dict[str, Any]], str]
    beside: str | None = None
    outlined: bool = False

    def examples(self, work: WorkContext, hashes: list[str]) -> dict[str, Example]:
        """Show some images, by SHA-256; those that cannot be read are left out."""
        rows = self._rows(work.workspace, hashes)
        beside = {row[self.beside] for row in rows.values()} if self.beside else set()
        paths = work.workspace.image_paths(beside.union(rows))
        shown = {name: self._example(work, paths, name, rows[name]) for name in hashes}
        return {name: example for name, example in shown.items() if example}

    def _rows(self, workspace: Workspace, hashes: list[str]) -> dict[str, dict[str, Any]]:
        """Return the manifest's rows on some images, by hash."""
        table = workspace.read(self.manifest)
        table = table.filter(pc.is_in(table[self.key], pa.array(hashes, table[self.key].type)))
        return {row[self.key]: row for row in table.to_pylist()}

    def _example(
        self, work: WorkContext, paths: dict[str, str], sha256: str, row: dict[str, Any]
    ) -> Example | None:
        """Show one image; None if it cannot be read."""
        boxes = [box for box in row["boxes"] if box["text"]] if self.outlined else []
        frame = max(boxes, key=lambda box: box["confidence"])["frame"] if boxes else None
        polygons = [box["polygon"] for box in boxes if box["frame"] == frame]
        picture = _thumbnail(work, paths.get(sha256), polygons, frame)
        other = _thumbnail(work, paths.get(row[self.beside])) if self.beside else None
        return Example(picture, other, self.caption(row)) if picture else None


LABELS = Details("labels", "cluster", lambda row: ", ".join(row["labels"]))
DETAILS = {
    "quality": Details(
        "quality",
        "sha256",
        lambda row: (
            f"{row['verdict'].replace('_', ' ')}: score {row['score']:.2f}, "
            f"{row['threshold']:.2f} is asked for"
        ),
    ),
    "text": Details(
        "text",
        "sha256",
        lambda row: f"“{row['text']}”, confidence {row['score']:.2f}",
        outlined=True,
    ),
    "dedup": Details(
        "duplicates",
        "sha256",
        lambda row: f"by {row['method']}, distance {row['distance']:g}",
        beside="matched",
    ),
    "binarize": LABELS,
    "undersample": LABELS,
}
"""By stage; an image that left at another stage could not be decoded, so is named alone."""


def dropped(work: WorkContext, count: int) -> list[Dropped]:
    """Return what left at each stage that has run.

    Parameters
    ----------
    work : WorkContext
        Its workspace has the manifests and images.
    count : int
        Examples of each reason.

    Returns
    -------
    list of Dropped
        In the stages' order, the commonest reason first.
    """
    workspace = work.workspace
    present = {name for name in MANIFESTS if workspace.has(name)}
    if "listing" not in present:
        return []
    return [
        _dropped(work, passage, reason, count)
        for passage in passages(workspace.read, present)
        for reason in passage.left["reason"].astype(str).value_counts().index
    ]


def _dropped(work: WorkContext, passage: Passage, reason: str, count: int) -> Dropped:
    key, stage = passage.gate.by, passage.gate.stage
    rows = passage.left[passage.left["reason"].astype(str) == reason].drop_duplicates(key)
    if passage.gate.score:
        rows = rows.sort_values(["score", key], ascending=[False, True])
    shown = list(rows[key].head(count))
    unit = unit_of(rows["url"]) if key == "url" else "images"
    found = Dropped(stage, reason, len(rows), unit)
    examples = DETAILS[stage].examples(work, shown) if stage in DETAILS else {}
    found.examples.extend(examples.values())
    found.names.extend(name for name in shown if name not in examples)
    return found


def _thumbnail(
    work: WorkContext,
    path: str | None,
    polygons: Sequence[Sequence[float]] = (),
    frame: int | None = None,
) -> str | None:
    """Return a stored image as a data URI; None if it is not there or cannot be read."""
    if path is None:
        return None
    try:
        content = work.workspace.read_image(path)
    except OSError as error:
        raise_system_fault(error, path)
        return None
    return thumbnail(content, work.max_pixels, polygons, frame)
