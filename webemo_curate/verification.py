"""`curate verify`: what the manifests say of each other and of the files, checked anew."""

import hashlib
from collections.abc import Iterator

import pyarrow.compute as pc

from webemo_curate.audit import discrepancies
from webemo_curate.errors import InputError
from webemo_curate.manifest import content_digest
from webemo_curate.progress import progress_bar
from webemo_curate.schemas import MANIFESTS
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import DecodeStatus
from webemo_curate.workspace import Workspace


def verify(workspace: Workspace, *, files: bool = True) -> list[str]:
    """Check a workspace from the listing to the splits.

    Parameters
    ----------
    workspace : Workspace
        All stages must have run.
    files : bool, default True
        Also read every stored image and compare it with its hash.

    Returns
    -------
    list of str
        What is wrong, a sentence each; empty if all is sound.

    Raises
    ------
    InputError
        If a manifest is missing or cannot be read.
    """
    missing = [name for name in MANIFESTS if not workspace.has(name)]
    if missing:
        raise InputError(
            f"{workspace.where(missing[0])}: no such manifest; run 'curate split' before verify"
        )
    problems = [*_changed_manifests(workspace), *_stale_manifests(workspace)]
    problems += discrepancies(workspace.read)
    if files:
        problems += _changed_files(workspace)
    return problems


def _changed_manifests(workspace: Workspace) -> Iterator[str]:
    """Compare each manifest's rows with the digest recorded when it was written."""
    for name in MANIFESTS:
        info, table = workspace.info(name), workspace.read(name)
        path = workspace.where(name)
        if info is None:
            yield f"{path}: says nothing of its origin: not written by curate"
        elif table.num_rows != info.rows:
            yield f"{path}: has {table.num_rows} rows, {info.rows} were written"
        elif content_digest(table) != info.digest:
            yield f"{path}: its values have been changed since it was written"


def _stale_manifests(workspace: Workspace) -> Iterator[str]:
    """Compare the input digests each manifest records with the inputs that are there."""
    infos = {name: workspace.info(name) for name in MANIFESTS}
    for name, info in infos.items():
        for source, digest in info.origin.inputs.items() if info else ():
            present = infos.get(source)
            if present is not None and present.digest != digest:
                yield f"'{name}' was made from another '{source}'; run 'curate split' again"


def _changed_files(workspace: Workspace) -> Iterator[str]:
    images = workspace.read("images", ["sha256", "path", "decode_status"])
    sound = images.filter(
        pc.not_equal(images["decode_status"].cast("string"), DecodeStatus.MISSING)
    )
    places = workspace.images.places(sound["path"].combine_chunks())
    rows = sound.append_column("place", places).sort_by("place").to_pylist()
    with progress_bar(len(rows), "verify", "file") as bar:
        for row in rows:
            if problem := _problem(workspace, row):
                yield f"{workspace.store.where(row['path'])}: {problem}"
            bar.update()


def _problem(workspace: Workspace, row: dict[str, str]) -> str | None:
    try:
        content = workspace.images.read(row["place"])
    except OSError as error:
        raise_system_fault(error, row["path"])
        return "the image is missing; run 'curate fetch' again"
    if hashlib.sha256(content).hexdigest() != row["sha256"]:
        return "the image's bytes have changed; delete it and run 'curate fetch'"
    return None
