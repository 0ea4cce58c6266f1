"""A folder-per-emotion set taken into a workspace: images by content, rows as a manifest."""

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
    """The result of `curate add-folder`: what became of the folder's files.

    Attributes
    ----------
    path
        The manifest.
    rows
        Images in it.
    repeated
        Files of the same bytes and class as another.
    conflicting
        Files of the same bytes under several classes: none of them is in the manifest.
    broken
        Files that do not decode, each with the reason.
    not_taken
        Entries of the folder that are no pictures to be tried, counted by reason.
    folders_left_out
        Files in each folder whose name is no class.
    text
        Images that the text filter left out, counted by verdict.
    left_out
        All that is not taken in words; empty if all is.
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
        """Say in one line what was taken and what was not."""
        return f"{self.rows} images in {self.path}" + (
            f"; left out: {self.left_out}" if self.left_out else ""
        )


TextFilter = Callable[[pa.Table], dict[str, str]]
"""Takes `sha256` and `path` of images; returns the verdict on each that is not clean of text."""

TEXT_SAID = {TextVerdict.TEXT: "bearing text", TextVerdict.UNREADABLE: "not readable for text"}


def add_folder(
    folder: Path, name: str, work: WorkContext, text_filter: TextFilter | None = None
) -> AddedSet:
    """Store a folder's images in the workspace and list them as a split manifest does.

    Parameters
    ----------
    folder : Path
        Holds folders named by emotion (UnbiasedEmo, Emotion-6, Cornell's Emotion6).
    name : str
        Of the manifest; small letters, digits, `_` and `-`.
    work : WorkContext
        Its workspace gets `manifests/<name>.parquet`, and the caller holds its lock. Which emotion
        is positive is its configuration's `binarize.positive`; of another target the classes are
        those of its splits.
    text_filter : callable, optional
        Leaves out what bears text; see `stages.set_text`.

    Returns
    -------
    AddedSet
        What was taken.

    Raises
    ------
    InputError
        If the name is not possible or taken, or the folder holds no emotion.
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
    """Leave out what bears text; returns the rest, and counts by verdict."""
    if text_filter is None or not table.num_rows:
        return table, {}
    verdicts = text_filter(table.select(["sha256", "path"]))
    clean = [sha256 not in verdicts for sha256 in table["sha256"].to_pylist()]
    return table.filter(pa.array(clean, pa.bool_())), dict(Counter(verdicts.values()))


def _table(found: FolderSet, workspace: Workspace) -> pa.Table:
    """Return the rows of the manifest; a picture's place stands for its URL and its group."""
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
    """Return the names of the classes, and what of the configuration they follow from."""
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
