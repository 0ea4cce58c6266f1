"""What an external test set shares with the pictures a network is trained on."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.candidates import candidate_pairs
from webemo_curate.duplicates.compare import compare_pairs
from webemo_curate.duplicates.describe import FILES, DescribeWorker
from webemo_curate.duplicates.features import words_by_hash
from webemo_curate.duplicates.hamming import Indices, pairs_within
from webemo_curate.engine.base import Engine, Job
from webemo_curate.errors import InputError
from webemo_curate.frames import to_frame
from webemo_curate.manifest import Origin, content_digest, read_manifest
from webemo_curate.schemas import Split
from webemo_curate.sources.folders import list_pictures
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

VERSION = 3
"""Raised whenever equal sets would be marked otherwise."""

NEEDED = ("images", "features", "duplicates")
TRAINED_ON = (Split.TRAIN, Split.VALIDATION)
"""Weights were fitted to the first and chosen by the second."""


@dataclass(frozen=True)
class SharedPictures:
    """An external set held against a workspace.

    Attributes
    ----------
    name
        Of the set.
    images
        Files in the set.
    matches
        The manifest of matches, a row each; its columns are in docs/manifests.md.
    path
        Where it lies.
    """

    name: str
    images: int
    matches: pa.Table
    path: str

    def summary(self) -> str:
        """Say how many images are shared and by which methods they were found."""
        rows = to_frame(self.matches)
        files = rows.drop_duplicates("path")
        ways = ", ".join(f"{way} {n}" for way, n in files["method"].value_counts().items() if n)
        found = f"{len(files)} of {self.images} images are in the workspace too"
        return f"{self.name}: {found}{f' ({ways})' if ways else ''}; marked in {self.path}"

    def trained_on(self, workspace: Workspace) -> set[str]:
        """Return the SHA-256 of images whose picture is in the training or validation split."""
        groups: set[str] = set()
        for split in TRAINED_ON:
            groups |= set(workspace.read(split, ["group"])["group"].to_pylist())
        rows = self.matches.select(["sha256", "group"]).to_pylist()
        return {row["sha256"] for row in rows if row["group"] in groups}


def mark_shared(
    place: Path, workspace: Workspace, engine: Engine, config: DedupConfig
) -> SharedPictures:
    """Find what an external set shares with the clean images of a workspace.

    The methods and thresholds are those of the dedup stage; every match is kept, in
    `manifests/shared-NAME.parquet`. An unchanged set is not compared again.

    Parameters
    ----------
    place : Path
        A folder of images, or a manifest with the columns of a split.
    workspace : Workspace
        Deduplicated; its lock is held by the caller.
    engine : Engine
        Describes and compares pictures.
    config : DedupConfig
        How near is near.

    Returns
    -------
    SharedPictures
        The matches.

    Raises
    ------
    InputError
        If the set cannot be read or the workspace is not deduplicated yet.
    """
    files = _files(place)
    name = place.absolute().name if place.is_dir() else place.stem
    target = f"shared-{name}"
    origin = _origin(files, workspace, config)
    info = workspace.info(target)
    if info is None or info.origin != origin:
        comparison = _Comparison(files, workspace, engine, config, origin.fingerprint)
        workspace.write_as("shared", target, comparison.matches(), origin)
        workspace.clear_checkpoints(comparison.describing)
        workspace.clear_checkpoints(comparison.comparing)
    matches = workspace.read_as("shared", target)
    return SharedPictures(name, files.num_rows, matches, workspace.where(target))


def _files(place: Path) -> pa.Table:
    """Return path and SHA-256 of each image of the set: in the workspace, or absolute."""
    if place.is_dir():
        return list_pictures(place)
    return read_manifest(place, Split.TEST, ["path", "sha256"])


def _origin(files: pa.Table, workspace: Workspace, config: DedupConfig) -> Origin:
    inputs = {"set": content_digest(files)}
    for name in NEEDED:
        info = workspace.info(name)
        if info is None:
            raise InputError(
                f"{workspace.where(name)}: the manifest is not there; run 'curate dedup'"
            )
        inputs[name] = info.digest
    return Origin("shared", VERSION, config.fingerprint(), inputs)


class _Comparison:
    """One set against one workspace; positions count the workspace's images, then the set's."""

    describing, comparing = "shared", "shared-compare"

    def __init__(
        self,
        files: pa.Table,
        workspace: Workspace,
        engine: Engine,
        config: DedupConfig,
        fingerprint: str,
    ) -> None:
        self.workspace, self.engine, self.config = workspace, engine, config
        self.fingerprint = fingerprint
        self.inner = _inner(workspace)
        self.looks = self._describe(files)
        self.outer = to_frame(files).join(to_frame(self.looks.drop_columns("words")))

    def matches(self) -> pa.Table:
        """Return the rows of the manifest: each pair once, by the first method that finds it."""
        found = [self._pixels()]
        if self.config.perceptual:
            found += [self._hashes(), self._features()]
        import pandas as pd

        rows = pd.concat(found).drop_duplicates(["path", "matched"])
        return pa.Table.from_pandas(rows, preserve_index=False)

    def _describe(self, files: pa.Table) -> pa.Table:
        job = Job(
            name="describe",
            worker=DescribeWorker(self.workspace.reader, self._max_pixels),
            rows=pa.table([self._places(files)], schema=FILES),
            checkpoints=self.workspace.checkpoints(self.describing, self.fingerprint),
            partition_rows=self.config.partition_rows,
        )
        return self.engine.run(job)

    @property
    def _max_pixels(self) -> int:
        return self.workspace.config().images.max_pixels

    def _places(self, files: pa.Table) -> pa.Array:
        return self.workspace.images.places(files["path"].combine_chunks())

    def _pixels(self) -> "pd.DataFrame":
        outer = self.outer.reset_index(names="outer").dropna(subset="pixel_hash")
        inner = self.inner.reset_index(names="inner")
        both = outer[["outer", "pixel_hash"]].merge(inner[["inner", "pixel_hash"]], on="pixel_hash")
        positions = both["inner"].to_numpy(), both["outer"].to_numpy()
        return self._rows(*positions, "pixels", np.zeros(len(both)), 0.0)

    def _hashes(self) -> "pd.DataFrame":
        import pandas as pd

        known = self.outer.dropna(subset="phash")
        base = self.inner["phash"].to_numpy(np.uint64)
        frames = []
        for side in ("phash", "phash_mirrored"):
            pairs = pairs_within(known[side].to_numpy(np.uint64), base, self.config.distance)
            outer = known.index.to_numpy()[pairs.left]
            limit = float(self.config.distance)
            frames.append(self._rows(pairs.right, outer, "phash", pairs.distance, limit))
        return pd.concat(frames).sort_values("distance", kind="stable")

    def _features(self) -> "pd.DataFrame":
        hashes = [*self.inner["sha256"], *self.outer["sha256"]]
        outer_words = pa.table(
            {"sha256": self.outer["sha256"], "words": self.looks["words"].fill_null([])}
        )
        inner_words = self.workspace.read("features")
        words = words_by_hash(
            hashes, pa.concat_tables([inner_words, outer_words.cast(inner_words.schema)])
        )
        first, second = candidate_pairs(words, known=len(self.inner))
        pairs = compare_pairs(
            (first, second),
            np.array([*self.inner["path"], *self.outer["path"]], dtype=object),
            self.workspace.images,
            self.engine,
            self.workspace.checkpoints(self.comparing, self.fingerprint),
            self.config,
            self._max_pixels,
        )
        limit = 1 - self.config.min_correlation
        outer = pairs.right - len(self.inner)
        return self._rows(pairs.left, outer, "features", pairs.distance, limit)

    def _rows(
        self,
        inner: Indices,
        outer: Indices,
        method: str,
        distance: "np.ndarray[Any, Any]",
        threshold: float,
    ) -> "pd.DataFrame":
        ours = self.inner.iloc[inner].reset_index(drop=True)
        theirs = self.outer.iloc[outer].reset_index(drop=True)
        return theirs[["path", "sha256"]].assign(
            matched=ours["sha256"],
            group=ours["group"],
            method=method,
            distance=distance,
            threshold=threshold,
        )


def _inner(workspace: Workspace) -> "pd.DataFrame":
    """Return the clean images with their looks and groups."""
    members = to_frame(workspace.read("duplicates", ["sha256", "group"]))
    columns = ["sha256", "path", "pixel_hash", "phash", "phash_mirrored"]
    images = to_frame(workspace.read("images", columns))
    return members.merge(images, on="sha256")
