"""The pictures of a workspace that are most like one picture, in a file or in the workspace."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from PIL import Image

from webemo_curate.duplicates.perceptual import reduce_color, reduce_gray
from webemo_curate.errors import InputError
from webemo_curate.imaging import DecodeError, load_apart
from webemo_curate.likeness.appearance import appearance
from webemo_curate.likeness.nearest import nearest
from webemo_curate.likeness.stored_looks import COLUMNS, looks_of
from webemo_curate.likeness.unit_vectors import unit
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.stages.decoded_images import decoded_rows
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

HASH: Final = re.compile(r"[0-9a-f]{8,64}")
"""A hash, or as much of it as the map shows."""

Vector = NDArray[np.float32]


class Alike(NamedTuple):
    """A picture of the workspace beside the one asked for.

    Attributes
    ----------
    sha256, path
        Its hash, and its path in the manifests.
    likeness
        Inner product of the two vectors: 1 for equal ones.
    label
        The label that its cluster was settled to; None where it has none.
    split
        Where it ended; None where it left.
    """

    sha256: str
    path: str
    likeness: float
    label: str | None
    split: str | None


def alike(asked: str, count: int, work: WorkContext, run: Path | None = None) -> list[Alike]:
    """Find the pictures that are most like one.

    Parameters
    ----------
    asked : str
        An image file, or the SHA-256 of a picture of the workspace (its first eight digits or
        more), which is then left out.
    count : int
        How many are wanted.
    work : WorkContext
        Its workspace has the images manifest.
    run : Path, optional
        Folder of the run whose network's features are compared; without one the looks are.

    Returns
    -------
    list of Alike
        The most alike first.

    Raises
    ------
    InputError
        If there is no such picture, several begin so, or it cannot be decoded.
    """
    images = decoded_rows(work.workspace.read("images", [*COLUMNS]))
    own = _own(asked, images, work.workspace)
    picture = None if own else _decoded(Path(asked), work)
    describe = _by_network(run, work) if run else _BY_LOOKS
    mine = images.filter(pc.equal(images["sha256"], own))
    wanted = describe.one(picture) if picture else np.concatenate([*describe.every(mine)])[0]
    rows, likeness = nearest(wanted, describe.every(images), count + bool(own))
    chosen = images.select(["sha256", "path"]).take(pa.array(rows)).to_pylist()
    hashes = pa.array([row["sha256"] for row in chosen], pa.string())
    labels, splits = _labels(work.workspace, hashes), _splits(work.workspace, hashes)
    found = [
        Alike(name, row["path"], float(value), labels.get(name), splits.get(name))
        for row, value in zip(chosen, likeness, strict=True)
        if (name := row["sha256"]) != own
    ]
    return found[:count]


class _Describing(NamedTuple):
    """Makes vectors of length 1: of a decoded picture, and of stored ones, part by part."""

    one: Callable[[Image.Image], Vector]
    every: Callable[[pa.Table], Iterator[Vector]]


def _looks_of_one(picture: Image.Image) -> Vector:
    """Describe a picture as the images stage describes a stored one."""
    found: Vector = appearance(reduce_gray(picture)[:1], reduce_color(picture)[None])[0]
    return found


_BY_LOOKS = _Describing(_looks_of_one, looks_of)


def _by_network(run: Path, work: WorkContext) -> _Describing:
    from webemo_curate.likeness.network_features import NetworkFeatures  # loads torch

    features = NetworkFeatures(run, work)
    return _Describing(
        lambda picture: unit(features.of_picture(picture)[None])[0],
        lambda images: map(unit, features.of(images)),
    )


def _own(asked: str, images: pa.Table, workspace: Workspace) -> str | None:
    """Return the hash of the picture that is asked for by its first digits; None for a file."""
    if not HASH.fullmatch(asked) or Path(asked).is_file():
        return None
    mine = images.filter(pc.starts_with(images["sha256"], asked))["sha256"].to_pylist()
    if len(mine) == 1:
        return str(mine[0])
    where = workspace.where("images")
    if mine:
        raise InputError(f"{asked}: {where} has {len(mine)} such pictures; give more digits")
    raise InputError(f"{asked}: {where} has no picture of this hash that decodes")


def _decoded(file: Path, work: WorkContext) -> Image.Image:
    if not file.is_file():
        what = "is a folder; name a file" if file.is_dir() else "no such image file"
        raise InputError(f"{file}: {what}")
    try:
        return load_apart(file, work.max_pixels)
    except DecodeError as error:
        raise InputError(f"{file}: {error}") from error


def _labels(workspace: Workspace, hashes: pa.Array) -> dict[str, str]:
    """Return the labels that the clusters of pictures were settled to."""
    if not all(map(workspace.has, ("duplicates", "labels"))):
        return {}
    members = workspace.read("duplicates", ["sha256", "cluster"])
    members = members.filter(pc.is_in(members["sha256"], hashes))
    labels = workspace.read("labels", ["cluster", "label"])
    joined = members.join(labels, "cluster", join_type="inner").to_pylist()
    return {row["sha256"]: row["label"] for row in joined}


def _splits(workspace: Workspace, hashes: pa.Array) -> dict[str, str]:
    """Return the splits that pictures stand in."""
    if not all(map(workspace.has, Split)):
        return {}
    found: dict[str, str] = {}
    for split in map(str, Split):
        names = workspace.read(split, ["sha256"])["sha256"]
        found |= dict.fromkeys(names.filter(pc.is_in(names, hashes)).to_pylist(), split)
    return found
