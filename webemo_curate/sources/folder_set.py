"""Read a folder-per-class set by content, by the same rule for every command."""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from webemo_curate.errors import InputError
from webemo_curate.imaging import DecodeError, Examiner, ExamineWorker, Finding, read_file
from webemo_curate.progress import ProgressBar
from webemo_curate.sources.folder_walk import LeftOut, shown
from webemo_curate.sources.folders import FolderNames, read_folder

Keep = Callable[[bytes, str], object]
"""Takes a picture's bytes and suffix."""

NAMED_FILES: Final = 3
"""Most undecodable files named in a message."""

logger = logging.getLogger(__name__)


@dataclass
class FolderSet:
    """The pictures of a set, each content once.

    Attributes
    ----------
    pictures
        One row a picture: `path` relative to the folder, of the first of equal files; `sha256`,
        `target`, `label`, `labels` (of all equal files), `suffix`, `width`, `height` (in pixels).
    repeated
        Number of files with the same bytes and class as another.
    conflicting
        Number of files with the same bytes under several classes; none of them is taken.
    broken
        Files that cannot be decoded, each with the reason.
    left_out
        Entries of the folder that are not candidate pictures.
    """

    pictures: list[dict[str, Any]] = field(default_factory=list)
    repeated: int = 0
    conflicting: int = 0
    broken: dict[str, str] = field(default_factory=dict)
    left_out: LeftOut = field(default_factory=LeftOut)

    def column(self, name: str, kind: pa.DataType) -> pa.Array:
        """Return a column of the pictures."""
        return pa.array([row[name] for row in self.pictures], kind)

    def summary(self) -> str:
        """Say which files of the classes were not taken; empty if all were."""
        named = ", ".join([*self.broken][:NAMED_FILES])
        more = ", ..." if len(self.broken) > NAMED_FILES else ""
        left = {
            "repeated": self.repeated,
            "under several classes": self.conflicting,
            f"not decodable ({named}{more})": len(self.broken),
        }
        return ", ".join(f"{count} {why}" for why, count in left.items() if count)


def read_set(
    folder: Path, names: FolderNames, max_pixels: int, *, task: str, keep: Keep | None = None
) -> FolderSet:
    """Read a folder-per-class set.

    Parameters
    ----------
    folder : Path
        See `folders.read_folder`.
    names : FolderNames
        Which folders count, and the class of each.
    max_pixels : int
        Largest width times height decoded.
    task : str
        Name of the task, for the progress bar.
    keep : callable, optional
        Called once with each picture of the set.

    Returns
    -------
    FolderSet
        The set; the same files give the same result in every command.

    Raises
    ------
    InputError
        If the folder does not exist, or holds no usable picture.
    """
    found = FolderSet()
    files = read_folder(folder, names, found.left_out)
    worker = ExamineWorker(max_pixels, measure=True)
    with Examiner(worker) as examiner, ProgressBar(files.num_rows, task, "image") as bar:
        intake = _Intake(folder, found, examiner, _of_several_classes(files), keep)
        for file in files.to_pylist():
            intake.take(file)
            bar.update()
    left = found.summary()
    if not found.pictures:
        raise InputError(
            f"{shown(str(folder))}: none of its {files.num_rows} files is a picture that counts "
            f"({left}); give a folder of pictures"
        )
    if left:
        logger.info("%s: left out: %s", shown(str(folder)), left)
    return found


class _Intake:
    """Processes files one by one and records the result of each."""

    def __init__(
        self,
        folder: Path,
        found: FolderSet,
        examiner: Examiner,
        undecided: set[str],
        keep: Keep | None,
    ) -> None:
        self._folder, self._found, self._examiner = folder, found, examiner
        self._undecided, self._keep = undecided, keep
        self._rows: dict[str, dict[str, Any]] = {}

    def take(self, file: dict[str, Any]) -> None:
        """Take a file's picture, or count the reason against it."""
        sha256 = file["sha256"]
        if sha256 in self._undecided:
            self._found.conflicting += 1
        elif sha256 in self._rows:
            self._found.repeated += 1
            row = self._rows[sha256]
            row["labels"] = sorted({*row["labels"], file["label"]})
        else:
            self._examine(file)

    def _examine(self, file: dict[str, Any]) -> None:
        try:
            content = read_file(self._folder / file["path"])
        except DecodeError as error:
            self._found.broken[file["path"]] = str(error)
            return
        finding = self._examiner.examine_now(content)
        if not finding.suffix:
            self._found.broken[file["path"]] = str(finding.reason)
            return
        if self._keep:
            self._keep(content, finding.suffix)
        # Hash the bytes just read: the file may have changed since it was listed.
        read = {"sha256": hashlib.sha256(content).hexdigest()}
        self._rows[file["sha256"]] = row = _row(file | read, finding)
        self._found.pictures.append(row)


def _row(file: dict[str, Any], finding: Finding) -> dict[str, Any]:
    return file | {
        "labels": [file["label"]],
        "suffix": finding.suffix,
        "width": finding.width,
        "height": finding.height,
    }


def _of_several_classes(files: pa.Table) -> set[str]:
    """Return the content hashes that occur under more than one class."""
    pairs = set(zip(files["sha256"].to_pylist(), files["target"].to_pylist(), strict=True))
    return {sha256 for sha256, count in Counter(sha256 for sha256, _ in pairs).items() if count > 1}
