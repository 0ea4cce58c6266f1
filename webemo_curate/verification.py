"""`curate verify`: what the manifests say of each other and of the files, checked anew."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath

import pyarrow as pa

from webemo_curate.audit import discrepancies
from webemo_curate.dataset.packed_files import PACKED, has_its_digest
from webemo_curate.errors import InputError
from webemo_curate.manifest import MARKS
from webemo_curate.manifest_store import MANIFESTS as FOLDER
from webemo_curate.named_files import NAMED, named_files
from webemo_curate.parquet import is_sealed
from webemo_curate.progress import ProgressBar
from webemo_curate.remedies import bringing_back, typed
from webemo_curate.reviews.decided_reviews import REVIEWS, decided, reviews_digest
from webemo_curate.reviews.review import ReviewKind
from webemo_curate.run_digests import changes
from webemo_curate.runs import DONE_FILE, finished_runs
from webemo_curate.schemas import CAME_LATER, MANIFESTS, ON_DEMAND, SCHEMAS
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

ROWS_AT_A_TIME = 1_000
"""Rows that are Python's own at a time."""

TOMBSTONES = "data/removed.parquet"
"""Where a workspace keeps what was taken down; sealed, see `parquet`."""


def verify(workspace: Workspace, *, files: bool = True, memory: int | None = None) -> list[str]:
    """Check a workspace from the listing to the splits.

    Parameters
    ----------
    workspace : Workspace
        All stages must have run, or the splits have been brought back from a release.
    files : bool, default True
        Also read every stored image, packed pixels and the runs, and compare them with the
        digests that were recorded.
    memory : int, optional
        Bytes that the recount may hold; default a part of the machine's.

    Returns
    -------
    list of str
        What is wrong, a sentence each; empty if all is sound.

    Raises
    ------
    InputError
        If a manifest is missing or cannot be read.
    """
    if workspace.is_rebuilt:
        problems = [problem for split in Split for problem in _changed(workspace, split)]
        return problems + (_problems_of_files(workspace, memory) if files else [])
    present = {name for name in MANIFESTS if workspace.has(name)}
    missing = [name for name in MANIFESTS if name not in present | CAME_LATER]
    if missing:
        raise InputError(
            f"{workspace.where(missing[0])}: no such manifest; run "
            f"'{workspace.typed('split')}' before verify"
        )
    problems = [*_changed_manifests(workspace, present), *_stale_manifests(workspace)]
    problems += _changed_tombstones(workspace)
    problems += discrepancies(workspace, memory)
    return problems + (_problems_of_files(workspace, memory) if files else [])


def _problems_of_files(workspace: Workspace, memory: int | None) -> list[str]:
    files = [*_changed_files(workspace, memory), *_changed_packed(workspace)]
    return [*files, *_changed_runs(workspace)]


def further_manifests(workspace: Workspace) -> list[str]:
    """Return the names of added sets' manifests, and of those of what sets share."""
    names = [PurePosixPath(key) for key in workspace.store.keys(FOLDER)]
    return [name.stem for name in names if name.suffix == ".parquet" and name.stem not in SCHEMAS]


def added_sets(workspace: Workspace) -> list[str]:
    """Return the names of a workspace's added sets."""
    return [each for each in further_manifests(workspace) if not each.startswith(MARKS)]


def _changed_manifests(workspace: Workspace, present: set[str]) -> Iterator[str]:
    """Compare each manifest's rows with the digest recorded when it was written."""
    made = filter(workspace.has, ON_DEMAND)
    for name in [*filter(present.__contains__, MANIFESTS), *made]:
        yield from _changed(workspace, name)
    for name in further_manifests(workspace):
        try:
            yield from _changed(workspace, name)
        except InputError as error:
            yield str(error)


def _changed(workspace: Workspace, name: str) -> Iterator[str]:
    if change := workspace.change(name):
        yield f"{workspace.where(name)}: {change}"


def _changed_tombstones(workspace: Workspace) -> Iterator[str]:
    """Tell whether the list of what was taken down is the one that `release` wrote."""
    if workspace.store.exists(TOMBSTONES) and not is_sealed(workspace.store.local(TOMBSTONES)):
        yield (
            f"{workspace.store.where(TOMBSTONES)}: has been changed since it was written; put back "
            f"the one of your last release, or delete it and run '{typed('release')}' with --remove"
        )


def _stale_manifests(workspace: Workspace) -> Iterator[str]:
    """Compare the input digests each manifest records with the inputs that are there."""
    yield from _stale_reviews(workspace)
    # Doubts are evidence: what was made from them is held against them, not they against others.
    infos = {name: workspace.info(name) for name in (*MANIFESTS, *ON_DEMAND)}
    for name in MANIFESTS:
        info = infos[name]
        for source, digest in info.origin.inputs.items() if info else ():
            present = infos.get(source)
            if present is not None and present.digest != digest:
                yield (
                    f"{workspace.where(name)}: was made from another '{source}'; run "
                    f"'{typed('split')}' again"
                )


def _stale_reviews(workspace: Workspace) -> Iterator[str]:
    """Compare the digest of reviews that each manifest records with the reviews that are there."""
    for name, kind in _honored_reviews().items():
        info = workspace.info(name)
        there = reviews_digest(decided(workspace, kind)).get(REVIEWS)
        if info is not None and info.origin.inputs.get(REVIEWS) != there:
            yield (
                f"{workspace.where(name)}: was made from other reviews; run '{typed('split')}' "
                "again"
            )


def _honored_reviews() -> dict[str, ReviewKind]:
    """Return the manifests whose stages honor people's decisions, with the decisions' kind."""
    # These stages load OpenCV, which other users of this module do not need.
    from webemo_curate.stages.binarize import BinarizeStage
    from webemo_curate.stages.dedup import DedupStage
    from webemo_curate.stages.text import TextStage

    stages = (TextStage, DedupStage, BinarizeStage)
    return {name: stage.reviewed for stage in stages for name in stage.outputs}


def _changed_files(workspace: Workspace, memory: int | None) -> Iterator[str]:
    """Read every image that a manifest names, once."""
    files = named_files(workspace, _further_images(workspace), memory)
    with ProgressBar(files.num_rows, "verify", "file") as bar:
        for batch in files.to_batches(max_chunksize=ROWS_AT_A_TIME):
            for row in batch.to_pylist():
                if problem := _problem(workspace, row):
                    yield f"{workspace.store.where(row['path'])}: {problem}"
                bar.update()


def _further_images(workspace: Workspace) -> Iterator[pa.Table]:
    """Yield the images of added sets; an unsound manifest is told elsewhere."""
    for name in added_sets(workspace):
        with suppress(InputError):
            yield workspace.read_any(name, NAMED)


def _changed_packed(workspace: Workspace) -> Iterator[str]:
    """Compare packed pixels with the digest at the end of their file."""
    keys = [key for key in workspace.store.keys(PACKED) if key.endswith(".npy")]
    with ProgressBar(len(keys), "verify", "packed file") as bar:
        for key in keys:
            if not has_its_digest(workspace.store.local(key)):
                yield f"{workspace.store.where(key)}: torn or changed; delete it, it is packed anew"
            bar.update()


def _changed_runs(workspace: Workspace) -> Iterator[str]:
    """Compare every finished run's files with what was recorded of them."""
    for folder in finished_runs(workspace):
        try:
            yield from changes(workspace.pull(folder), DONE_FILE)
        except InputError as error:
            yield str(error)


def _problem(workspace: Workspace, row: dict[str, str]) -> str | None:
    try:
        content = workspace.images.read(row["place"])
    except OSError as error:
        raise_system_fault(error, row["path"])
        return f"the image is missing; {bringing_back(workspace.images.home)}"
    if hashlib.sha256(content).hexdigest() != row["sha256"]:
        return f"the image's bytes have changed; {bringing_back(workspace.images.home)}"
    return None
