"""Find what an external test set shares with the pictures a network is trained on."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.compare import Prover
from webemo_curate.duplicates.describe import FILES, DescribeWorker
from webemo_curate.duplicates.local_words import Words, words_by_hash
from webemo_curate.duplicates.looks import LOOKS, looks_of
from webemo_curate.duplicates.measured import FoundPairs, Method
from webemo_curate.duplicates.methods import by_features, by_grays, by_hash
from webemo_curate.duplicates.shared_pictures import SharedPictures
from webemo_curate.errors import InputError
from webemo_curate.frames import to_frame
from webemo_curate.manifest import MARKS, SHARED, Origin, read_manifest
from webemo_curate.remedies import typed
from webemo_curate.runner.job import Job, Runner
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.sources.folders import list_pictures
from webemo_curate.table_digest import content_digest
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

VERSION = 9
"""Raised whenever equal sets would be marked otherwise."""

NEEDED = ("images", "features", "duplicates")


def mark_shared(
    place: Path, work: WorkContext, runner: Runner, *, told: bool = False
) -> SharedPictures:
    """Find what an external set shares with the clean images of a workspace.

    The methods and thresholds are those of the dedup stage; every match is kept, in
    `manifests/shared-NAME.parquet`. An unchanged set is not compared again.

    Parameters
    ----------
    place : Path
        A folder of images, or a manifest with the columns of a split.
    work : WorkContext
        Its workspace is deduplicated, and the caller holds its lock; its configuration says how
        near is near.
    runner : Runner
        Describes and compares pictures.
    told : bool, default False
        Whether what is taken of the folder has been said already.

    Returns
    -------
    SharedPictures
        The matches.

    Raises
    ------
    InputError
        If the set cannot be read or the workspace is not deduplicated yet.
    """
    workspace, config = work.workspace, work.config.dedup
    files = _files(place, told=told)
    name = place.absolute().name if place.is_dir() else place.stem
    target = f"{MARKS}{name}"
    origin = _origin(files, workspace, config)
    info = workspace.info(target)
    if info is None or info.origin != origin or not _is_as_written(workspace, target, info.digest):
        comparison = _SetComparison(files, work, runner, origin.fingerprint)
        workspace.write_as(SHARED, target, comparison.matches(), origin)
        workspace.clear_checkpoints(comparison.describing)
        workspace.clear_checkpoints(comparison.comparing)
    matches = workspace.read_as(SHARED, target)
    return SharedPictures(name, files.num_rows, matches, workspace.where(target))


def _is_as_written(workspace: Workspace, target: str, digest: str) -> bool:
    """Tell whether the matches found earlier are those that are there."""
    try:
        return content_digest(workspace.read_as(SHARED, target)) == digest
    except InputError:
        return False


def _files(place: Path, *, told: bool) -> pa.Table:
    """Return path and SHA-256 of each image of the set: in the workspace, or absolute."""
    if place.is_dir():
        return list_pictures(place, told=told)
    return read_manifest(place, Split.TEST, ["path", "sha256"])


def _origin(files: pa.Table, workspace: Workspace, config: DedupConfig) -> Origin:
    inputs = {"set": content_digest(files)}
    for name in NEEDED:
        info = workspace.info(name)
        if info is None:
            raise InputError(
                f"{workspace.where(name)}: the manifest is not there; run '{typed('dedup')}'"
            )
        inputs[name] = info.digest
    return Origin("shared", VERSION, config.fingerprint(), inputs)


class _SetComparison:
    """One set against one workspace; positions count the workspace's images, then the set's."""

    describing, comparing = "shared", "shared-compare"

    def __init__(
        self,
        files: pa.Table,
        work: WorkContext,
        runner: Runner,
        fingerprint: str,
    ) -> None:
        self.workspace, self.config = work.workspace, work.config.dedup
        self.runner, self.max_pixels = runner, work.max_pixels
        self.fingerprint = fingerprint
        self.inner = _inner(self.workspace)
        self.looks = self._describe(files)
        self.outer = to_frame(files).join(to_frame(self.looks.drop_columns("words")))

    def matches(self) -> pa.Table:
        """Return the rows of the manifest: each pair once, by the first method that finds it."""
        found = [self._pixels()]
        if self.config.perceptual:
            found += self._looks()
        import pandas as pd

        # What is the same by one method is no sibling by another.
        rows = pd.concat(found).sort_values(["sibling", "distance"], kind="stable")
        rows = rows.drop_duplicates(["path", "matched"])
        return pa.Table.from_pandas(rows, preserve_index=False)

    def _describe(self, files: pa.Table) -> pa.Table:
        job = Job(
            name="describe",
            worker=DescribeWorker(self.workspace.reader, self.max_pixels),
            rows=pa.table([self._places(files)], schema=FILES),
            checkpoints=self.workspace.checkpoints(self.describing, self.fingerprint),
            partition_rows=self.config.partition_rows,
        )
        return self.runner.run(job)

    def _places(self, files: pa.Table) -> pa.Array:
        return self.workspace.images.places(files["path"].combine_chunks())

    def _pixels(self) -> "pd.DataFrame":
        outer = self.outer.reset_index(names="outer").dropna(subset="pixel_hash")
        inner = self.inner.reset_index(names="inner")
        both = outer[["outer", "pixel_hash"]].merge(inner[["inner", "pixel_hash"]], on="pixel_hash")
        size = len(both)
        none = np.zeros(size, np.float32)
        first, second = both["inner"].to_numpy(np.int64), both["outer"].to_numpy(np.int64)
        found = FoundPairs(first, second, none, none + 1, none, np.ones(size, bool))
        return self._rows(found, found.distance, Method.PIXELS, 0.0)

    def _looks(self) -> "list[pd.DataFrame]":
        """Compare by each method of `duplicates.methods`, the set's images behind the others."""
        import pandas as pd

        known = self.outer.dropna(subset=LOOKS)
        looks = looks_of(pd.concat([self.inner, known])[["path", *LOOKS]])
        outside = np.arange(len(looks.paths)) >= len(self.inner)
        prove = Prover(
            self.workspace.images,
            self.runner,
            self.workspace.checkpoints(self.comparing, self.fingerprint),
            self.config.partition_rows,
            self.max_pixels,
        ).prove
        row = np.r_[np.zeros(len(self.inner), np.int64), known.index.to_numpy(np.int64)]

        def rows(
            found: FoundPairs, distance: "NDArray[np.float32]", method: Method, limit: float
        ) -> "pd.DataFrame":
            across = found._replace(second=row[found.second])
            return self._rows(across, distance, method, limit)

        hashed = by_hash(looks, self.config, prove, outside)
        plain = by_grays(looks, self.config, prove, outside)
        cropped = by_features(looks, self._words(known), self.config, prove, outside)
        limit = 1 - self.config.min_correlation
        return [
            rows(hashed, hashed.distance, Method.PHASH, self.config.distance),
            rows(plain, 1 - plain.correlation, Method.GRAYS, limit),
            rows(cropped, 1 - cropped.correlation, Method.FEATURES, limit),
        ]

    def _words(self, known: "pd.DataFrame") -> list[Words]:
        outer = pa.table({"sha256": self.outer["sha256"], "words": self.looks["words"]})
        inner = self.workspace.read("features")
        outer = outer.filter(pc.is_valid(outer["words"])).cast(inner.schema)
        hashes = [*self.inner["sha256"], *known["sha256"]]
        return words_by_hash(hashes, pa.concat_tables([inner, outer]))

    def _rows(
        self, found: FoundPairs, distance: "NDArray[np.float32]", method: Method, threshold: float
    ) -> "pd.DataFrame":
        ours = self.inner.iloc[found.first].reset_index(drop=True)
        theirs = self.outer.iloc[found.second].reset_index(drop=True)
        return theirs[["path", "sha256"]].assign(
            matched=ours["sha256"],
            group=ours["group"],
            method=str(method),
            distance=distance,
            threshold=threshold,
            correlation=found.correlation,
            sibling=~found.same,
        )


def _inner(workspace: Workspace) -> "pd.DataFrame":
    """Return the clean images with their looks and groups."""
    members = to_frame(workspace.read("duplicates", ["sha256", "group"]))
    images = to_frame(workspace.read("images", ["sha256", "path", "pixel_hash", *LOOKS]))
    return members.merge(images, on="sha256")
