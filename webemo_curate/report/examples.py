"""Pictures as examples: each with what was measured of it, and what it is held against."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.report.pictures import laid_thumbnail, thumbnail
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.schemas import SCHEMAS
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.workspace import Workspace

Picture = str | None
"""A data URI; None where the picture is not there or cannot be read."""


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
    laid
        Data URI of the picture beside as it lies on this one; None without one.
    """

    picture: str
    beside: str | None
    caption: str
    laid: Picture = None


class Album:
    """The workspace's pictures as the page shows them, each made once.

    Parameters
    ----------
    work : WorkContext
        Its workspace has the images.
    """

    def __init__(self, work: WorkContext) -> None:
        self.workspace = work.workspace
        self.memory = work.config.memory
        self._max_pixels = work.max_pixels
        self._made: dict[object, Picture] = {}

    def paths(self, hashes: Collection[str]) -> dict[str, str]:
        """Return the paths of images by their SHA-256."""
        return self.workspace.image_paths(hashes) if hashes else {}

    def picture(
        self,
        path: str | None,
        polygons: Sequence[Sequence[float]] = (),
        frame: int | None = None,
    ) -> Picture:
        """Return an image by its path in the manifests, with outlines drawn; see `thumbnail`."""
        if path is None:
            return None
        name = path, tuple(map(tuple, polygons)), frame
        if name not in self._made:
            self._made[name] = self._make(path, polygons, frame)
        return self._made[name]

    def laid(self, first: str | None, second: str | None) -> Picture:
        """Return the second image as it lies on the first; see `laid_thumbnail`."""
        if first is None or second is None:
            return None
        name = "laid", first, second
        if name not in self._made:
            self._made[name] = self._lay(self._read(first), self._read(second))
        return self._made[name]

    def _lay(self, first: bytes | None, second: bytes | None) -> Picture:
        if first is None or second is None:
            return None
        return laid_thumbnail(first, second, self._max_pixels)

    def _make(self, path: str, polygons: Sequence[Sequence[float]], frame: int | None) -> Picture:
        content = self._read(path)
        return None if content is None else thumbnail(content, self._max_pixels, polygons, frame)

    def _read(self, path: str) -> bytes | None:
        try:
            return self.workspace.read_image(path)
        except OSError as error:
            raise_system_fault(error, path)
            return None


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

    def examples(self, album: Album, hashes: list[str]) -> dict[str, Example]:
        """Show some images, by SHA-256; those that cannot be read are left out."""
        rows = self._rows(album.workspace, hashes) if hashes else {}
        beside = {row[self.beside] for row in rows.values()} if self.beside else set()
        paths = album.paths(beside.union(rows))
        shown = {name: self._example(album, paths, name, rows[name]) for name in hashes}
        return {name: example for name, example in shown.items() if example}

    def _rows(self, workspace: Workspace, hashes: list[str]) -> dict[str, dict[str, Any]]:
        """Return the manifest's rows on some images, by hash."""
        names = [field.name for field in SCHEMAS[self.manifest]]
        rows = workspace.scan(self.manifest, names)
        chosen = rows.filter(pc.field(self.key).isin(pa.array(hashes, pa.string())))
        return {row[self.key]: row for row in _table(chosen).to_pylist()}

    def _example(
        self, album: Album, paths: dict[str, str], sha256: str, row: dict[str, Any]
    ) -> Example | None:
        """Show one image; None if it cannot be read."""
        boxes = [box for box in row["boxes"] if box["text"]] if self.outlined else []
        frame = max(boxes, key=lambda box: box["confidence"])["frame"] if boxes else None
        polygons = [box["polygon"] for box in boxes if box["frame"] == frame]
        picture = album.picture(paths.get(sha256), polygons, frame)
        place = paths.get(row[self.beside]) if self.beside else None
        other, laid = album.picture(place), album.laid(paths.get(sha256), place)
        return Example(picture, other, self.caption(row), laid) if picture else None


def _matched(method: str, distance: float | None) -> str:
    """Say how a duplicate was found; a pair that a person joined has no distance."""
    return f"by {method}" if distance is None else f"by {method}, distance {distance:g}"


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
        lambda row: _matched(row["method"], row["distance"]),
        beside="matched",
    ),
    "binarize": LABELS,
    "undersample": LABELS,
}
"""By stage; an image that left at another stage could not be decoded, so is named alone."""


def _table(rows: Any) -> pa.Table:
    """Return what a scan found: of a dataset it is still to be read."""
    return rows if isinstance(rows, pa.Table) else rows.to_table()
