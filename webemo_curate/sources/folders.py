"""Read folders of images named by label, such as UnbiasedEmo, Emotion-6 and Cornell's Emotion6."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import pyarrow as pa

from webemo_curate.config import PipelineConfig
from webemo_curate.errors import InputError
from webemo_curate.rooted import regular_digest
from webemo_curate.sources.folder_form import FolderForm
from webemo_curate.sources.folder_walk import (
    NAMED_FOLDERS,
    LeftOut,
    is_utf8,
    regular_files,
    shown,
)
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.taxonomies import AS_LISTED, BUILT_IN, WEBEMO, load_taxonomy
from webemo_curate.verdicts import is_binary, positive_names
from webemo_curate.workspace import Workspace

OUTSIDE: Final = "outside the folders of the classes"

NAMED: Final = 8
"""Most folder names of a class that a message names."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FolderNames:
    """The folders that hold labeled pictures, and the class of each.

    Attributes
    ----------
    target
        Class number by folder name.
    """

    target: Mapping[str, int]

    @property
    def last_class(self) -> list[str]:
        """The names that mean the last class: for the binary target, the positive one."""
        last = max(self.target.values())
        return sorted(name for name, number in self.target.items() if number == last)

    def label(self, name: str) -> str | None:
        """Return the label that a folder's name means, in any letter case; None for no label."""
        return self._by_small_letters.get(name.lower())

    def lacking(self, labels: Iterable[str]) -> str | None:
        """Say which folders a set lacks, if it has none of some class; None if it has all."""
        found = {self.target[label] for label in labels}
        names: dict[int, list[str]] = {}
        for name, number in sorted(self.target.items()):
            names.setdefault(number, []).append(name)
        lacking = [", ".join(own[:NAMED]) for number, own in names.items() if number not in found]
        return "; or ".join(lacking) or None

    def remedy(self) -> str:
        """Say what makes a folder count."""
        if max(self.target.values()) == 1:
            return "to take a folder too, give the taxonomy that has its name with --taxonomy"
        return f"to take a folder too, name it by a class: {', '.join(sorted(self.target)[:40])}"

    @cached_property
    def _by_small_letters(self) -> dict[str, str]:
        return {name.lower(): name for name in sorted(self.target)}


def folder_names(
    classes: Sequence[str], config: PipelineConfig, listed: Iterable[str]
) -> FolderNames:
    """Determine which folders of a set count, for a workspace's classes.

    Parameters
    ----------
    classes : sequence of str
        Class names, in the order of the targets.
    config : PipelineConfig
        The workspace's configuration, with the taxonomy that defines the groups.
    listed : iterable of str
        Labels in the workspace's listing.

    Returns
    -------
    FolderNames
        For the binary target, the positive names are those configured and the labels below them.
        Negative are all other labels of the built-in taxonomies, of the workspace's own, and of its
        listing. For several classes, their names count, and the labels below them.
    """
    if not is_binary(classes):
        numbers = {name: number for number, name in enumerate(classes)}
        return FolderNames(_below(numbers, config) | numbers)
    positive = positive_names(classes)
    known = {label for name in BUILT_IN for label in load_taxonomy(name).labels}.union(listed)
    name = config.listing.taxonomy or WEBEMO
    below: frozenset[str] = frozenset()
    if name != AS_LISTED:
        taxonomy = load_taxonomy(name)
        known |= taxonomy.names
        if taxonomy.names.issuperset(positive):
            below = taxonomy.covered(positive, config.binarize.level)
    ours = below.union(positive)
    return FolderNames(dict.fromkeys(known - ours, 0) | dict.fromkeys(ours, 1))


def _below(numbers: Mapping[str, int], config: PipelineConfig) -> dict[str, int]:
    """Return the class numbers of labels below classes of level 2; empty for other classes."""
    name = config.listing.taxonomy or WEBEMO
    if name == AS_LISTED:
        return {}
    taxonomy = load_taxonomy(name)
    are_labels = numbers.keys() <= set(taxonomy.labels) and config.binarize.target != "level2"
    if are_labels or not numbers.keys() <= set(taxonomy.classes(2)):
        return {}
    above = {label: taxonomy.class_of(label, 2) for label in taxonomy.labels}
    return {label: numbers[group] for label, group in above.items() if group in numbers}


def listed_labels(workspace: Workspace) -> list[str]:
    """Return the labels in a workspace's listing; empty without a listing."""
    if not workspace.has("listing"):
        return []
    labels = workspace.read("listing", ["label"])["label"].unique().drop_null()
    return list(map(str, labels.to_pylist()))


def read_folder(folder: Path, names: FolderNames, left_out: LeftOut | None = None) -> pa.Table:
    """List a set with one folder for each label.

    Parameters
    ----------
    folder : Path
        Holds folders named by label, or folders named by split that hold these.
        `folder_walk.regular_files` decides which files are candidate pictures. One message tells
        what was taken and what was not.
    names : FolderNames
        Which folders count, and the class of each.
    left_out : LeftOut, optional
        Receives what is not taken, for callers that show it elsewhere too.

    Returns
    -------
    pa.Table
        Columns `path` (relative to the folder), `sha256`, `target`, `label`; sorted by path.

    Raises
    ------
    InputError
        If the folder does not exist, or no file lies in a folder that counts.
    """
    left_out = LeftOut() if left_out is None else left_out
    files, labels = [], []
    found = _files(folder, left_out)
    form = FolderForm.of(folder, (file.relative_to(folder).as_posix() for file in found))
    for file in found:
        path = file.relative_to(folder).as_posix()
        _, name = form.parts(path)
        if name is None:
            left_out.add(OUTSIDE, path)
        elif (label := names.label(name)) is None:
            left_out.add_unknown(name)
        else:
            files.append(file)
            labels.append(label)
    if not files:
        raise InputError(
            f"{folder}: holds no file in a folder named by an emotion "
            f"or another label of the workspace (such as {', '.join(names.last_class)})"
            f"{_tail(left_out)}"
        )
    _tell(folder, len(files), left_out)
    if lacking := names.lacking(labels):
        taken = ", ".join(sorted(set(labels))[:NAMED_FOLDERS])
        told = "%s: a class has no picture, as no folder is named %s; those taken: %s"
        logger.warning(told, shown(str(folder)), lacking, taken)
    if left_out.folders:
        logger.warning("%s: %s", shown(str(folder)), names.remedy())
    return pa.table(
        {
            "path": [file.relative_to(folder).as_posix() for file in files],
            "sha256": [regular_digest(file) for file in files],
            "target": pa.array([names.target[label] for label in labels], pa.int8()),
            "label": labels,
        }
    )


def list_pictures(folder: Path, *, told: bool = False) -> pa.Table:
    """List every file below a folder, whatever its folders are named.

    Parameters
    ----------
    folder : Path
        Any folder; see `read_folder` for what is left out.
    told : bool, default False
        Whether what is taken of the folder has been said already.

    Returns
    -------
    pa.Table
        Columns `path` (absolute) and `sha256`; sorted by path.

    Raises
    ------
    InputError
        If there is no file, or the folder's path is not UTF-8, which a manifest cannot store.
    """
    if not is_utf8(str(folder.absolute())):
        raise InputError(
            f"{shown(str(folder.absolute()))}: its path is not UTF-8; rename the folder, or give "
            "a link to it that is"
        )
    left_out = LeftOut()
    files = _files(folder.absolute(), left_out)
    if not files:
        raise InputError(f"{folder}: holds no file; give a folder of images{_tail(left_out)}")
    if not told:
        _tell(folder, len(files), left_out)
    return pa.table(
        {"path": [str(file) for file in files], "sha256": [regular_digest(file) for file in files]}
    )


def _files(folder: Path, left_out: LeftOut) -> list[Path]:
    try:
        return regular_files(folder, left_out)
    except FileNotFoundError as error:
        raise InputError(f"{shown(str(folder))}: no such folder") from error
    except OSError as error:
        raise_system_fault(error, str(folder))
        raise InputError(f"{shown(str(folder))}: cannot be read: {error.strerror}") from error


def _tell(folder: Path, taken: int, left_out: LeftOut) -> None:
    logger.info("%s: %d files are taken%s", shown(str(folder)), taken, _tail(left_out))


def _tail(left_out: LeftOut) -> str:
    said = left_out.summary()
    return f"; {said}" if said else ""
