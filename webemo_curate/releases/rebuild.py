"""`curate rebuild`: a released set brought back, and what of it has changed or gone."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from webemo_curate.config import PipelineConfig
from webemo_curate.errors import InputError
from webemo_curate.listing_keys import file_of
from webemo_curate.manifest import Origin
from webemo_curate.manifest_store import REBUILD
from webemo_curate.releases.changed_alone import ChangedAlone, ChangedStore
from webemo_curate.releases.changed_pictures import read_kept
from webemo_curate.releases.files import OUTCOME_COLUMNS, write_parquet
from webemo_curate.releases.finding import Finder, Recovered
from webemo_curate.releases.outcomes import Outcome
from webemo_curate.releases.own_pictures import OwnPictures
from webemo_curate.releases.reading_back import Release, read_release
from webemo_curate.releases.shares import Shares, class_shares
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.schemas import SPLIT
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

VERSION = 1
REPORT = "rebuild.parquet"
"""In the workspace: what became of each image."""

SCRATCH = "data/rebuild"
"""Local folder of what is fetched until it is compared."""

CHECKED = "-checked"
"""Ends the name of the folder of a comparison, which lacks the pictures that are as released."""

ENTERING = [*(name for name in SPLIT.names if name != "path"), "split"]
"""Columns of a release that the rows of a split manifest are made of."""

REPORTED = ["sha256", "split", "label", "target"]
"""Columns of a release that the report repeats: with them it tells what a class has lost."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Rebuilt:
    """The result of `curate rebuild`.

    Attributes
    ----------
    outcomes
        Images by outcome.
    dead
        Those that are dead, by the status of their URL.
    shares
        Of each split: its classes as released and as they are now.
    entered
        Images that are in the split manifests now; None if it was only checked.
    report
        Where `rebuild.parquet` lies.
    local
        Dead images that were local files: no URL gives them, only whoever has the files.
    """

    outcomes: dict[str, int]
    dead: dict[str, int]
    shares: dict[str, Shares]
    entered: int | None
    report: str
    local: int = 0


def rebuild(
    folder: Path, work: WorkContext, *, check_only: bool = False, pictures: Path | None = None
) -> Rebuilt:
    """Fetch a released set and write its split manifests from what is still the same.

    Parameters
    ----------
    folder : Path
        The release.
    work : WorkContext
        Where the set is built, and how: `fetch`, `decoding` and `rebuild` of its configuration.
    check_only : bool, default False
        Ask and compare, and keep no picture.
    pictures : Path, optional
        A folder or a table of pictures that the user has: what is among them, byte by byte, is not
        asked for.

    Returns
    -------
    Rebuilt
        Where all is alive the splits have the digests of those released; else exactly the images
        that `rebuild.parquet` names are missing.

    Raises
    ------
    InputError
        If the release is not sound, or the workspace holds another set.
    CurateError
        If the disk is full, or another command works here.
    """
    workspace = work.workspace
    released = read_release(folder)
    if not check_only and (split := own_split(workspace)):
        raise InputError(
            f"{workspace.where(split)}: holds a set of its own; give --workspace an empty folder, "
            "or --check-only to compare alone"
        )
    with workspace.lock():
        scratch = _scratch(workspace, released, check_only=check_only)
        own = OwnPictures(pictures, work.config.decoding, scratch) if pictures else None
        rebuilt = None if check_only else workspace
        findings = Finder(released, work.config, scratch, own, rebuilt).find()
        accepted = {Outcome.IDENTICAL, *map(Outcome, work.config.rebuild.accept)}
        rows = _entering(released, findings, accepted)
        if not check_only:
            _enter(workspace, scratch, released, rows, work.config)
        with workspace.store.writing(REPORT) as partial:
            write_parquet(_report(released, findings), partial)
        # Last: until the report is there, a run that was killed goes on from what was fetched.
        workspace.store.remove(SCRATCH)
    return _rebuilt(workspace, released, findings, rows, check_only=check_only)


def own_split(workspace: Workspace) -> Split | None:
    """Return a split of a set that was curated from lists; None where a rebuilt one may lie."""
    for split in Split:
        info = workspace.info(split)
        if workspace.has(split) and (info is None or info.origin.stage != REBUILD):
            return split
    return None


def _scratch(workspace: Workspace, released: Release, *, check_only: bool) -> Workspace:
    """Return the folder of what is fetched, without what another release or a comparison left."""
    place = f"{SCRATCH}/{released.digest}{CHECKED if check_only else ''}"
    for key in workspace.store.keys(SCRATCH):
        if not key.startswith(f"{place}/"):
            workspace.store.remove(key)
    root = workspace.place(place)
    if not check_only:
        return Workspace(root)
    return ChangedAlone(ChangedStore(root, frozenset(released.looks)))


def _entering(
    released: Release, findings: dict[str, Recovered], accepted: set[Outcome]
) -> list[Row]:
    """Return the rows of the split manifests: those accepted, each picture once."""
    rows: dict[str, Row] = {}
    ordered = sorted(
        released.images.select(ENTERING).to_pylist(),
        key=lambda row: (findings[row["sha256"]].outcome.rank, row["sha256"]),
    )
    for row in ordered:
        finding = findings[row["sha256"]]
        if finding.outcome in accepted:
            rows.setdefault(finding.answer["sha256"], _entry(row, finding))
    return list(rows.values())


def _entry(row: Row, finding: Recovered) -> Row:
    """Return a split's row of what was found; of an identical picture it is what was released."""
    found = {"sha256": finding.answer["sha256"], "path": finding.path}
    if finding.outcome is Outcome.IDENTICAL:
        return row | found
    assert finding.likeness is not None  # noqa: S101 - it was compared
    size = {"width": finding.likeness.width, "height": finding.likeness.height}
    return row | found | size | {"url": finding.answer["url"]}


def _enter(
    workspace: Workspace,
    scratch: Workspace,
    released: Release,
    rows: list[Row],
    config: PipelineConfig,
) -> None:
    """Store the pictures and write the split manifests."""
    for row in rows:
        file = scratch.root / row["path"]
        # A link: to write the bytes again, and free the first ones, would cost as much as fetching.
        workspace.link_image(read_kept(scratch, row["path"]), file.suffix, file)
    workspace.settle()
    origin = Origin(REBUILD, VERSION, config.rebuild.fingerprint(), {"release": released.digest})
    for split in Split:
        mine = [row for row in rows if row["split"] == split]
        columns = {name: [row[name] for row in mine] for name in SPLIT.names}
        table = pa.table([pa.array(columns[f.name], f.type) for f in SPLIT], names=SPLIT.names)
        workspace.write(split, table, origin, released.classes)
    workspace.save_config(config)


def _report(released: Release, findings: dict[str, Recovered]) -> pa.Table:
    rows = []
    for row in released.images.select(REPORTED).to_pylist():
        finding = findings[row["sha256"]]
        answer, likeness = finding.answer, finding.likeness
        rows.append(
            row
            | {
                "outcome": str(finding.outcome),
                "status": answer["status"],
                "http_status": answer["http_status"],
                "url": answer["url"],
                "found_sha256": answer["sha256"],
                "distance": likeness.distance if likeness else None,
                "date": answer["finished"],
            }
        )
    return pa.Table.from_pylist(rows, schema=OUTCOME_COLUMNS)


def _rebuilt(
    workspace: Workspace,
    released: Release,
    findings: dict[str, Recovered],
    rows: list[Row],
    *,
    check_only: bool,
) -> Rebuilt:
    outcomes = Counter(str(finding.outcome) for finding in findings.values())
    dead = Counter(
        str(finding.answer["status"])
        for finding in findings.values()
        if finding.outcome is Outcome.DEAD
    )
    return Rebuilt(
        {str(outcome): outcomes[outcome] for outcome in Outcome if outcomes[outcome]},
        dict(sorted(dead.items())),
        class_shares(
            released.images.select(["split", "target"]).to_pylist(), rows, released.classes
        ),
        None if check_only else len(rows),
        workspace.store.where(REPORT),
        sum(
            finding.outcome is Outcome.DEAD and file_of(finding.answer["url"]) is not None
            for finding in findings.values()
        ),
    )
