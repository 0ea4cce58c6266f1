"""The set that a run is evaluated on: a split, a manifest or a folder of emotions."""

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from webemo_curate.dataset.labeled_images import COLUMNS
from webemo_curate.errors import InputError
from webemo_curate.manifest import read_info, read_manifest
from webemo_curate.manifest_store import change, manifest_key
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.sources.folder_set import read_set
from webemo_curate.sources.folders import folder_names, listed_labels
from webemo_curate.table_digest import content_digest
from webemo_curate.verdicts import DEFAULT_CLASSES, Split, is_split
from webemo_curate.verification import added_sets
from webemo_curate.workspace import Workspace

PLACE, CONTENT = "set_path", "set_digest"
"""Keys in a metrics file that name the set it was measured on."""

NAME_DIGITS = 8


@dataclass(frozen=True)
class EvaluationSet:
    """Images to evaluate on: a table (`COLUMNS`) with paths in the workspace or absolute ones."""

    name: str
    table: pa.Table
    classes: tuple[str, ...]
    place: str | None = None

    @property
    def digest(self) -> str:
        """Digest of the images and their targets."""
        return content_digest(self.table.select(["sha256", "target"]))

    def named_apart(self, run: Path) -> "EvaluationSet":
        """Return the set under a name that no other set's results in this run have."""
        if self.place is None:
            return self
        taken = is_split(self.name)
        with suppress(OSError, ValueError, AttributeError, RecursionError):
            earlier = json.loads(metrics_file(run, self.name).read_bytes())
            taken = taken or earlier.get(PLACE) not in (None, self.place)
        return replace(self, name=f"{self.name}-{self.digest[:NAME_DIGITS]}") if taken else self

    def check_classes(self, wanted: tuple[str, ...]) -> None:
        """Raise if the targets mean other classes than those that the run was trained on."""
        if self.classes != wanted:
            theirs, ours = (_listed(names) for names in (self.classes, wanted))
            raise InputError(
                f"{self.name}: its targets are {theirs}, the run's are {ours}; "
                "train on these splits, or give a set of the run's classes"
            )

    def without(self, sha256: set[str]) -> "EvaluationSet":
        """Return the set without some images, under a different name."""
        keep = [name not in sha256 for name in self.table["sha256"].to_pylist()]
        return replace(
            self, name=f"{self.name}-unshared", table=self.table.filter(pa.array(keep, pa.bool_()))
        )

    def check_not_empty(self, on: str) -> None:
        """Raise if the set has no images."""
        if not self.table.num_rows:
            raise InputError(f"{on}: holds no images to evaluate on")


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]])


def open_set(on: str, work: WorkContext, classes: tuple[str, ...]) -> EvaluationSet:
    """Open a set; a folder's images get the targets of `classes`."""
    place, workspace = Path(on), work.workspace
    if is_split(on):
        return EvaluationSet(on, workspace.read(on, COLUMNS), workspace.classes(on))
    return _of_folder(place, work, classes) if place.is_dir() else _of_manifest(place)


def _of_folder(place: Path, work: WorkContext, classes: tuple[str, ...]) -> EvaluationSet:
    """Open a folder of the run's classes, with the pictures that `add-folder` would take."""
    names = folder_names(classes, work.config, listed_labels(work.workspace))
    found = read_set(place, names, work.max_pixels, task="evaluate")
    paths = [str(place.absolute() / picture["path"]) for picture in found.pictures]
    columns = {
        "path": pa.array(paths, pa.string()),
        "sha256": found.column("sha256", pa.string()),
        "target": found.column("target", pa.int8()),
    }
    return EvaluationSet(place.resolve().name, pa.table(columns), classes, str(place.resolve()))


def find_set(on: str, workspace: Workspace) -> str:
    """Return where the set lies that the user named.

    Parameters
    ----------
    on : str
        A split, a folder, a manifest's file, or the name given to `add-folder`.
    workspace : Workspace
        Holds the added sets.

    Returns
    -------
    str
        A split's name, or a path.

    Raises
    ------
    InputError
        If it is none of these; the message names the available ones.
    """
    if is_split(on) or Path(on).exists():
        return on
    added = added_sets(workspace)
    if on in added:
        return str(workspace.store.local(manifest_key(on)))
    known = ", ".join([*Split, *added])
    raise InputError(
        f"--on {on}: no such split, added set, folder or manifest; there are: {known}, and any "
        "folder that holds a folder for each emotion"
    )


def _of_manifest(place: Path) -> EvaluationSet:
    info, table = read_info(place), read_manifest(place, Split.TEST)
    if info and (found := change(place, info, table.num_rows, content_digest(table))):
        raise InputError(
            f"{place}: {found}; write it anew, or drop its metadata to vouch for it yourself"
        )
    named = info.classes if info else None
    return EvaluationSet(
        place.stem, table.select(COLUMNS), named or DEFAULT_CLASSES, str(place.resolve())
    )


def set_name(on: str, work: WorkContext) -> str:
    """Return the name under which a set's results are stored; see `evaluate`.

    Raises
    ------
    InputError
        If the set cannot be read or is empty.
    """
    test_set = open_set(find_set(on, work.workspace), work, work.workspace.classes(Split.TRAIN))
    test_set.check_not_empty(on)
    return test_set.name


def metrics_file(run: Path, name: str) -> Path:
    """Return the file of a run's figures on a set."""
    return run / f"metrics-{name}.json"
