"""Add a folder-per-class set to a workspace: images by content, rows as a manifest."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from webemo_curate.errors import InputError
from webemo_curate.manifest import Origin
from webemo_curate.remedies import typed
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.schemas import SCHEMAS
from webemo_curate.sources.folder_set import FolderSet, read_set
from webemo_curate.sources.folders import folder_names, listed_labels
from webemo_curate.table_digest import content_digest
from webemo_curate.verdicts import Split, TextVerdict, binary_classes
from webemo_curate.workspace import Workspace

STAGE = "add-folder"
VERSION = 4
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True)
class AddedSet:
    """The result of `curate add-folder`: which files were taken, and why others were not.

    Attributes
    ----------
    path
        Path of the manifest.
    rows
        Number of images in it.
    repeated
        Number of files with the same bytes and class as another.
    conflicting
        Number of files with the same bytes under several classes; none of them is in the manifest.
    broken
        Files that cannot be decoded, each with the reason.
    not_taken
        Numbers of the folder's entries that are not candidate pictures, by reason.
    folders_left_out
        Number of files in each folder whose name is not a class.
    text
        Number of images that the text filter removed, by verdict.
    left_out
        One sentence about everything not taken; empty if there is nothing.
    """

    path: str
    rows: int
    repeated: int
    conflicting: int
    broken: dict[str, str]
    not_taken: dict[str, int]
    folders_left_out: dict[str, int]
    text: dict[str, int]
    left_out: str

    def summary(self) -> str:
        """Summarize in one line what was taken and what was not."""
        return f"{self.rows} images in {self.path}" + (
            f"; left out: {self.left_out}" if self.left_out else ""
        )


TextFilter = Callable[[pa.Table], dict[str, str]]
"""Takes `sha256` and `path` of images; returns the verdict of each image to leave out."""

TEXT_SAID = {TextVerdict.TEXT: "bearing text", TextVerdict.UNREADABLE: "not readable for text"}


def add_folder(
    folder: Path, name: str, work: WorkContext, text_filter: TextFilter | None = None
) -> AddedSet:
    """Store a folder's images in the workspace and list them like a split manifest.

    Parameters
    ----------
    folder : Path
        Holds folders named by emotion (UnbiasedEmo, Emotion-6, Cornell's Emotion6).
    name : str
        Name of the manifest; lower-case letters, digits, `_` and `-`.
    work : WorkContext
        Its workspace receives `manifests/<name>.parquet`; the caller holds the workspace's lock.
        For the binary target, its configuration's `binarize.positive` says which emotion is
        positive. For another target, the classes are those of the workspace's splits.
    text_filter : callable, optional
        Finds images with text, which are left out; see `stages.set_text`.

    Returns
    -------
    AddedSet
        What was taken, and what was not.

    Raises
    ------
    InputError
        If the name is invalid or taken, or the folder holds no emotion.
    """
    _check_name(name)
    workspace, config = work.workspace, work.config
    classes, made_of = _classes(work)
    names = folder_names(classes, config, listed_labels(workspace))
    found = read_set(folder, names, work.max_pixels, task=STAGE, keep=workspace.store_image)
    workspace.settle()
    table, text = _filtered(_table(found, workspace), text_filter)
    if text_filter:
        made_of |= {"filter_text": config.filter_text.fingerprint()}
    said = [f"{count} {TEXT_SAID[TextVerdict(verdict)]}" for verdict, count in text.items()]
    origin = Origin(STAGE, VERSION, made_of, {"set": content_digest(table)})
    workspace.write_as(Split.TEST, name, table, origin, classes)
    return AddedSet(
        workspace.where(name),
        table.num_rows,
        found.repeated,
        found.conflicting,
        found.broken,
        dict(sorted(found.left_out.counts.items())),
        dict(sorted(found.left_out.folders.items())),
        text,
        ", ".join(filter(None, [found.summary(), *said])),
    )


def _filtered(table: pa.Table, text_filter: TextFilter | None) -> tuple[pa.Table, dict[str, int]]:
    """Remove images with text; return the others, and counts by verdict."""
    if text_filter is None or not table.num_rows:
        return table, {}
    verdicts = text_filter(table.select(["sha256", "path"]))
    clean = [sha256 not in verdicts for sha256 in table["sha256"].to_pylist()]
    return table.filter(pa.array(clean, pa.bool_())), dict(Counter(verdicts.values()))


def _table(found: FolderSet, workspace: Workspace) -> pa.Table:
    """Return the rows of the manifest; a picture's path serves as its URL and its group."""
    rows = [
        row
        | {
            "path": workspace.image_path(row["sha256"], row["suffix"]),
            "group": row["sha256"],
            "url": row["path"],
        }
        for row in found.pictures
    ]
    names = SCHEMAS[Split.TEST].names
    return pa.table({name: [row[name] for row in rows] for name in names})


def _classes(work: WorkContext) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the class names, and the part of the configuration that determines them."""
    binarize = work.config.binarize
    if binarize.target == "binary":
        return binary_classes(binarize.positive), {"positive": binarize.fingerprint()["positive"]}
    info = work.workspace.info("labels")
    if info is None or info.classes is None:
        raise InputError(
            f"add-folder: the classes of --target {binarize.target} are those of the splits; run "
            f"'{typed('split')}' first"
        )
    return info.classes, {"target": binarize.target, "classes": [*info.classes]}


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise InputError(f"--name {name}: use small letters, digits, '_' and '-', such as emotion6")
    if name in SCHEMAS or name.startswith("shared-"):
        raise InputError(f"--name {name}: a stage's manifest has this name; take another")
