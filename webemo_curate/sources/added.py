"""A folder-per-emotion set taken into a workspace: images by content, rows as a manifest."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from webemo_curate.errors import InputError
from webemo_curate.imaging import DecodeError, Examiner, ExamineWorker, Finding, read_file
from webemo_curate.manifest import Origin
from webemo_curate.progress import progress_bar
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.schemas import SCHEMAS
from webemo_curate.sources.folder_walk import LeftOut
from webemo_curate.sources.folders import folder_names, listed_labels, read_folder
from webemo_curate.table_digest import content_digest
from webemo_curate.verdicts import Split, binary_classes
from webemo_curate.workspace import Workspace

STAGE = "add-folder"
VERSION = 3
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True)
class AddedSet:
    """What became of a folder's files.

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
    """

    path: str
    rows: int
    repeated: int
    conflicting: int
    broken: dict[str, str]
    not_taken: dict[str, int]

    def summary(self) -> str:
        """Say in one line what was taken and what was not."""
        left = {
            "repeated": self.repeated,
            "under several classes": self.conflicting,
            "not decodable": len(self.broken),
        }
        out = ", ".join(f"{count} {why}" for why, count in left.items() if count)
        return f"{self.rows} images in {self.path}" + (f"; left out: {out}" if out else "")


def add_folder(folder: Path, name: str, work: WorkContext) -> AddedSet:
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
    left_out = LeftOut()
    classes, made_of = _classes(work)
    names = folder_names(classes, config, listed_labels(workspace))
    files = read_folder(folder, names, left_out)
    worker = ExamineWorker(work.max_pixels, measure=True)
    with Examiner(worker) as examiner, progress_bar(files.num_rows, STAGE, "image") as bar:
        intake = _Intake(folder, workspace, examiner, _of_several_classes(files))
        for file in files.to_pylist():
            intake.take(file)
            bar.update()
    workspace.settle()
    origin = Origin(STAGE, VERSION, made_of, {"set": content_digest(files)})
    workspace.write_as(Split.TEST, name, intake.table(), origin, classes)
    return AddedSet(
        workspace.where(name),
        len(intake.rows),
        intake.repeated,
        intake.conflicting,
        intake.broken,
        dict(sorted(left_out.counts.items())),
    )


class _Intake:
    """Takes files one by one and remembers what became of them."""

    def __init__(
        self, folder: Path, workspace: Workspace, examiner: Examiner, undecided: set[str]
    ) -> None:
        self._folder, self._workspace, self._examiner = folder, workspace, examiner
        self._undecided = undecided
        self.rows: dict[str, dict[str, Any]] = {}
        self.broken: dict[str, str] = {}
        self.repeated = self.conflicting = 0

    def take(self, file: dict[str, Any]) -> None:
        """Store a file's image, or count why not."""
        sha256 = file["sha256"]
        if sha256 in self._undecided:
            self.conflicting += 1
        elif sha256 in self.rows:
            self.repeated += 1
            row = self.rows[sha256]
            row["labels"] = sorted({*row["labels"], file["label"]})
        else:
            self._examine(file)

    def table(self) -> pa.Table:
        """Return the rows of the manifest."""
        names = SCHEMAS[Split.TEST].names
        return pa.table({name: [row[name] for row in self.rows.values()] for name in names})

    def _examine(self, file: dict[str, Any]) -> None:
        try:
            content = read_file(self._folder / file["path"])
        except DecodeError as error:
            self.broken[file["path"]] = str(error)
            return
        finding = self._examiner.examine_now(content)
        if finding.suffix:
            self.rows[file["sha256"]] = self._store(file, content, finding)
        else:
            self.broken[file["path"]] = str(finding.reason)

    def _store(self, file: dict[str, Any], content: bytes, finding: Finding) -> dict[str, Any]:
        suffix = str(finding.suffix)
        sha256 = self._workspace.store_image(content, suffix)
        return {
            "path": self._workspace.image_path(sha256, suffix),
            "sha256": sha256,
            "target": file["target"],
            "label": file["label"],
            "labels": [file["label"]],
            "group": sha256,
            "width": finding.width,
            "height": finding.height,
            "url": file["path"],
        }


def _classes(work: WorkContext) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the names of the classes, and what of the configuration they follow from."""
    binarize = work.config.binarize
    if binarize.target == "binary":
        return binary_classes(binarize.positive), {"positive": binarize.fingerprint()["positive"]}
    info = work.workspace.info("labels")
    if info is None or info.classes is None:
        raise InputError(
            f"add-folder: the classes of --target {binarize.target} are those of the splits; run "
            "'curate split' first"
        )
    return info.classes, {"target": binarize.target, "classes": [*info.classes]}


def _of_several_classes(files: pa.Table) -> set[str]:
    """Return the content hashes that stand under more than one class."""
    pairs = set(zip(files["sha256"].to_pylist(), files["target"].to_pylist(), strict=True))
    return {sha256 for sha256, count in Counter(sha256 for sha256, _ in pairs).items() if count > 1}


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise InputError(f"--name {name}: use small letters, digits, '_' and '-', such as emotion6")
    if name in SCHEMAS or name.startswith("shared-"):
        raise InputError(f"--name {name}: a stage's manifest has this name; take another")
