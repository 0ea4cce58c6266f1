"""Access to a manifest's images as pixels and targets, in an order set by the seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from webemo_curate.config import TrainConfig
from webemo_curate.dataset.packing import SHARD_IMAGES, pack
from webemo_curate.dataset.squares import read_squares
from webemo_curate.models.precision import CHANNELS
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.storage.protocols import ImageReader

COLUMNS = ["path", "sha256", "target"]
"""Columns of a split manifest that training and evaluation read."""


class LabeledImages(Protocol):
    """The images of a manifest, in its order.

    `targets` is int64 of shape (images,); `sha256` and `paths` identify the images.
    """

    @property
    def targets(self) -> Tensor: ...  # noqa: D102

    @property
    def sha256(self) -> list[str]: ...  # noqa: D102

    @property
    def paths(self) -> list[str]: ...  # noqa: D102

    @property
    def image_bytes(self) -> int:
        """Bytes of one image's pixels; 0 if there are no images."""

    def take(self, rows: NDArray[np.int64]) -> Tensor:
        """Return the pixels of some rows on the CPU: uint8, shape (rows, 3, S, S)."""


@dataclass(frozen=True)
class PackedImages:
    """Packed images, memory-mapped; see `LabeledImages`.

    Attributes
    ----------
    shards
        Arrays of uint8, shape (images of the shard, 3, S, S); all but the last hold `SHARD_IMAGES`.
    """

    shards: list[NDArray[np.uint8]]
    targets: Tensor
    sha256: list[str]
    paths: list[str]

    @property
    def image_bytes(self) -> int:
        """Bytes of one image's pixels; see `LabeledImages.image_bytes`."""
        return int(np.prod(self.shards[0].shape[1:])) if self.shards else 0

    def take(self, rows: NDArray[np.int64]) -> Tensor:
        """Copy rows from the maps; see `LabeledImages.take`."""
        result = np.empty((len(rows), *self.shards[0].shape[1:]), np.uint8)
        homes, places = np.divmod(rows, SHARD_IMAGES)
        for home in np.unique(homes):
            mine = homes == home
            result[mine] = self.shards[home][places[mine]]
        return torch.from_numpy(result)


@dataclass(frozen=True)
class FileImages:
    """Images decoded from their files each time: slow, but without packed copies on the disk.

    Attributes
    ----------
    reader
        Reads stored images.
    places
        Places of the images.
    max_pixels
        Largest width times height decoded.
    """

    reader: ImageReader
    places: list[str]
    config: TrainConfig
    max_pixels: int
    targets: Tensor
    sha256: list[str]
    paths: list[str]

    @property
    def image_bytes(self) -> int:
        """Bytes of one image's pixels; see `LabeledImages.image_bytes`."""
        return CHANNELS * self.config.image_size**2

    def take(self, rows: NDArray[np.int64]) -> Tensor:
        """Decode rows in child processes; see `LabeledImages.take`."""
        named = [(self.sha256[row], self.places[row]) for row in rows]
        squares = read_squares(self.reader, named, self.config, self.max_pixels, further=True)
        return torch.from_numpy(squares)


@dataclass(frozen=True)
class ChosenImages:
    """Some images of a set, which stay where they are; see `LabeledImages`.

    Attributes
    ----------
    images
        The set.
    rows
        Which of it.
    """

    images: LabeledImages
    rows: NDArray[np.int64]

    @property
    def targets(self) -> Tensor:
        """Targets of the chosen; see `LabeledImages`."""
        return self.images.targets[torch.from_numpy(self.rows)]

    @property
    def sha256(self) -> list[str]:
        """Names of the chosen; see `LabeledImages`."""
        return [self.images.sha256[row] for row in self.rows]

    @property
    def paths(self) -> list[str]:
        """Paths of the chosen; see `LabeledImages`."""
        return [self.images.paths[row] for row in self.rows]

    @property
    def image_bytes(self) -> int:
        """Bytes of an image's pixels; see `LabeledImages.image_bytes`."""
        return self.images.image_bytes

    def take(self, rows: NDArray[np.int64]) -> Tensor:
        """Take rows of the chosen; see `LabeledImages.take`."""
        return self.images.take(self.rows[rows])


def open_images(table: pa.Table, config: TrainConfig, work: WorkContext) -> LabeledImages:
    """Open a manifest's images; they are packed first, unless `feed` is `files`.

    Parameters
    ----------
    table : pa.Table
        Columns `path` (in the workspace, or absolute), `sha256`, `target`.
    config : TrainConfig
        Size, resizing and feed.
    work : WorkContext
        Its workspace holds the images and stores the packed ones, under names made from content and
        settings. From an object store, packed images are copied to this machine once.

    Returns
    -------
    LabeledImages
        In the manifest's order.

    Raises
    ------
    InputError
        If an image is missing or cannot be decoded.
    """
    names, paths = table["sha256"].to_pylist(), table["path"].to_pylist()
    targets = torch.tensor(table["target"].to_pylist(), dtype=torch.int64)
    workspace = work.workspace
    places = workspace.images.places(table["path"].combine_chunks()).to_pylist()
    if config.feed == "files":
        return FileImages(workspace.reader, places, config, work.max_pixels, targets, names, paths)
    shards = pack(names, places, config, work)
    return PackedImages(shards, targets, names, paths)


def epoch_updates(
    images: int, batch_size: int, accumulate: int, seed: int, epoch: int
) -> list[list[NDArray[np.int64]]]:
    """Return an epoch's batches, grouped by update, in an order set by seed and epoch.

    The last update shares the remaining rows evenly among its batches, as Keras's mirrored strategy
    does. It is dropped if a batch would have fewer than two images, because batch norm then has no
    variance.

    Parameters
    ----------
    images : int
        Number of rows in the training set.
    batch_size : int
        Rows a batch.
    accumulate : int
        Batches an update.
    seed, epoch : int
        Determine the order.

    Returns
    -------
    list of list of ndarray of int64
        Row numbers: for each update, its batches.
    """
    order = np.random.default_rng([seed, epoch]).permutation(images)
    together = batch_size * accumulate
    parts = [order[start : start + together] for start in range(0, images, together)]
    return [np.array_split(part, accumulate) for part in parts if len(part) >= 2 * accumulate]


def chunks(images: int, size: int) -> Iterator[NDArray[np.int64]]:
    """Yield all row numbers in order, `size` at a time."""
    for start in range(0, images, size):
        yield np.arange(start, min(start + size, images))
