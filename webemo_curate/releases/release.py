"""`curate release`: a set without a single picture, from which others rebuild it."""

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import yaml

from webemo_curate import __version__
from webemo_curate.accounting import listed_unit
from webemo_curate.config import ExportConfig, PipelineConfig
from webemo_curate.errors import InputError
from webemo_curate.exports.chosen_rows import select
from webemo_curate.exports.license_words import required_license
from webemo_curate.gates import GATES
from webemo_curate.releases import files
from webemo_curate.releases.contents import decision_table, image_table, local_images
from webemo_curate.releases.data_card import NEED_FILES, write_release_card
from webemo_curate.releases.description import write_description
from webemo_curate.releases.take_down import take_down
from webemo_curate.remedies import typed
from webemo_curate.storage.whole_folder import whole_folder
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

SECTIONS = (
    "decoding",
    "listing",
    "fetch",
    "images",
    "quality",
    "filter_text",
    "features",
    "dedup",
    "binarize",
    "undersample",
    "split",
)
"""Of the pipeline file: those that decide what the set holds."""

NEEDED = ("listing", *(gate.manifest for gate in GATES if not gate.optional), *map(str, Split))
"""Manifests that a release is made from."""


@dataclass(frozen=True)
class Released:
    """The result of `curate release`.

    Attributes
    ----------
    folder
        Where.
    images
        Of the final set.
    decisions
        Other URLs and files, with why they left.
    removed
        Images taken down, in this release or before.
    local
        Images that were local files and have no URL: others need the files to rebuild them.
    unit
        What was listed; see `listing_keys.unit_of`.
    """

    folder: str
    images: int
    decisions: int
    removed: int
    local: int = 0
    unit: str = "URLs"

    def summary(self) -> str:
        """Say it in a line."""
        down = f"; {self.removed:,} images are taken down" if self.removed else ""
        own = f"; {self.local:,} of them have no URL: {NEED_FILES}" if self.local else ""
        left = f"{self.decisions:,} other {self.unit}"
        return f"{self.folder}: {self.images:,} images{own}; {left}{down}"


def release(
    workspace: Workspace, folder: Path, config: ExportConfig, remove: Sequence[str] = ()
) -> Released:
    """Write a release: hashes, URLs, labels, splits, reasons, and how to rebuild the set.

    Parameters
    ----------
    workspace : Workspace
        All stages have run.
    folder : Path
        Where; an earlier release there is replaced, its tombstones are kept.
    config : ExportConfig
        Name and license.
    remove : sequence of str, optional
        SHA-256 or URLs to take down; see `take_down.take_down`.

    Returns
    -------
    Released
        What was written.

    Raises
    ------
    InputError
        If a stage has not run, no license is given, or `remove` names nothing.
    CurateError
        If the disk is full.
    """
    required_license(config, "a release")
    missing = [name for name in NEEDED if not workspace.has(name)]
    if missing and workspace.is_rebuilt:
        raise InputError(
            f"{workspace.where(missing[0])}: no such manifest, as this set was rebuilt from a "
            "release; hand on that release"
        )
    if missing:
        raise InputError(
            f"{workspace.where(missing[0])}: no such manifest; run '{typed('split')}' "
            "before release"
        )
    replaced = files.is_release(folder)
    with whole_folder(folder, replace=replaced) as partial:
        with workspace.lock() if remove or replaced else nullcontext():
            removed = take_down(workspace, remove, folder)
        images, decisions = image_table(workspace, removed), decision_table(workspace, removed)
        _write(workspace, partial, config, {"images": images, "decisions": decisions}, removed)
    stones = removed["sha256"].drop_null()
    counts = (images.num_rows, decisions.num_rows, len(stones), local_images(images))
    return Released(str(folder), *counts, listed_unit(workspace))


def pipeline_text(config: PipelineConfig) -> str:
    """Return the settings that decide what a set holds, as a pipeline file: no path, no address."""
    sections = {name: getattr(config, name).fingerprint() for name in SECTIONS}
    return yaml.safe_dump(sections, sort_keys=False)


def _write(
    workspace: Workspace,
    folder: Path,
    config: ExportConfig,
    tables: dict[str, pa.Table],
    removed: pa.Table,
) -> None:
    selection = select(workspace)
    facts = {"classes": list(selection.classes), "package_version": __version__}
    metadata = {files.METADATA_KEY: json.dumps(facts, sort_keys=True).encode()}
    images = tables["images"].replace_schema_metadata(metadata)
    files.write_parquet(images, folder / files.IMAGES)
    files.write_parquet(tables["decisions"], folder / files.DECISIONS)
    files.write_parquet(removed, folder / files.REMOVED)
    (folder / files.PIPELINE).write_text(pipeline_text(workspace.config()), encoding="utf-8")
    local = local_images(images)
    write_release_card(folder / files.CARD, workspace, selection, config, removed, local)
    write_description(folder, config, selection)
    files.write_sums(folder)
