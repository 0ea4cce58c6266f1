"""Packing: images decoded once into files of equal squares; a file is a row of a runner's job."""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from webemo_curate.config import TrainConfig
from webemo_curate.dataset.packed_files import PACKED, open_packed, write_packed
from webemo_curate.dataset.squares import read_square, read_squares
from webemo_curate.errors import CurateError
from webemo_curate.imaging import guard_process
from webemo_curate.progress import ProgressBar
from webemo_curate.runner.job import Job
from webemo_curate.runner.reporting import counted, reporting_to
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore
from webemo_curate.storage.protocols import ImageReader, Store

logger = logging.getLogger(__name__)

SHARD_IMAGES = 512
"""Images in a packed file: 100 MB at 256 pixels, which bounds memory and what a kill can undo."""

PACK_VERSION = 3
"""Raised whenever equal images and settings would give other pixels."""

JOB = "pack"
ROWS = pa.schema(
    [("key", pa.string()), ("places", pa.list_(pa.string())), ("names", pa.list_(pa.string()))]
)
KEYS = pa.schema([("key", pa.string())])


@dataclass(frozen=True)
class PackWorker:
    """Writes packed files; see `runner.job.Worker`.

    Attributes
    ----------
    images
        Reads stored images.
    store
        Gets the files.
    config
        Size, and how a picture becomes a square.
    max_pixels
        Largest width times height that is decoded.
    """

    images: ImageReader
    store: Store
    config: TrainConfig
    max_pixels: int

    @property
    def output_schema(self) -> pa.Schema:
        """The keys of the files that are there."""
        return KEYS

    def setup(self) -> None:
        """Let the process end for a picture that takes too long."""
        guard_process()

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Write the files of a batch (schema `ROWS`)."""
        for row in batch.to_pylist():
            named = _named(row)
            squares = [
                read_square(self.images, place, self.config, self.max_pixels, sha256)
                for sha256, place in counted(named)
            ]
            self._save(row["key"], np.stack(squares))
        return pa.RecordBatch.from_arrays([batch["key"]], schema=KEYS)

    def pack_apart(self, row: dict[str, Any]) -> None:
        """Write one file from here, its pictures decoded in processes that one may end."""
        squares = read_squares(self.images, _named(row), self.config, self.max_pixels)
        self._save(row["key"], squares)

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Stop, naming the picture: a training cannot do without some of its images."""
        for row in batch.to_pylist():
            self.pack_apart(row)
        raise CurateError(
            f"{self.store.where(batch['key'][0].as_py())}: packing kills its process; is there "
            "enough memory? Try a smaller --image-size"
        )

    def _save(self, key: str, pixels: NDArray[np.uint8]) -> None:
        with self.store.writing(key) as partial, partial.open("wb") as stream:
            write_packed(stream, pixels, key)


def _named(row: dict[str, Any]) -> list[tuple[str, str]]:
    """Return SHA-256 and place of each image of a file."""
    return list(zip(row["names"], row["places"], strict=True))


def pack(
    names: Sequence[str], places: Sequence[str], config: TrainConfig, work: WorkContext
) -> list[NDArray[np.uint8]]:
    """Pack images that are not packed yet, and map the files.

    Parameters
    ----------
    names : sequence of str
        SHA-256 of each image.
    places : sequence of str
        Where each lies.
    config : TrainConfig
        Size, and how a picture becomes a square.
    work : WorkContext
        Its workspace keeps the files, under names made of content and settings.

    Returns
    -------
    list of ndarray of uint8, shape (images of the file, 3, S, S)
        `SHARD_IMAGES` images each, the last the rest.

    Raises
    ------
    InputError
        If an image is missing or does not decode.
    """
    digest = _digest(names, config)
    parts = [slice(start, start + SHARD_IMAGES) for start in range(0, len(places), SHARD_IMAGES)]
    files = [
        _PackedFile(f"{PACKED}/{digest}/{number:05}.npy", names[part], places[part])
        for number, part in enumerate(parts)
    ]
    store = work.workspace.store
    there = set(store.keys(f"{PACKED}/{digest}"))
    missing = [file for file in files if file.key not in there or file.open(config, store) is None]
    if missing:
        _write(missing, digest, config, work)
    return [_opened(file, config, store) for file in files]


@dataclass(frozen=True)
class _PackedFile:
    """Images that are packed into one file: their SHA-256 and places."""

    key: str
    names: Sequence[str]
    places: Sequence[str]

    def open(self, config: TrainConfig, store: Store) -> NDArray[np.uint8] | None:
        """Map the file; None if it is not sound, which is told, and the file removed."""
        shape = (len(self.names), 3, config.image_size, config.image_size)
        pixels = open_packed(store.local(self.key), shape)
        if pixels is None:
            logger.warning("%s: torn or changed; packed anew", store.where(self.key))
            store.remove(self.key)
        return pixels


def _opened(file: _PackedFile, config: TrainConfig, store: Store) -> NDArray[np.uint8]:
    pixels = file.open(config, store)
    if pixels is None:
        raise CurateError(
            f"{store.where(file.key)}: changed as soon as it was packed; check the drive"
        )
    return pixels


def _write(
    files: Sequence[_PackedFile], digest: str, config: TrainConfig, work: WorkContext
) -> None:
    columns = [[getattr(file, name) for file in files] for name in ROWS.names]
    rows = pa.table(columns, schema=ROWS)
    workspace = work.workspace
    worker = PackWorker(workspace.reader, workspace.store, config, work.max_pixels)
    if rows.num_rows == 1:
        # The processes that a runner starts would each have a file: this has all of them.
        bar = ProgressBar(len(files[0].names), JOB, "image")
        with bar, reporting_to(bar.update):
            worker.pack_apart(rows.to_pylist()[0])
        return
    # The packed files themselves are what a later run finds. Who else packs now, packs the same.
    with TemporaryDirectory(prefix="webemo-curate-") as own, work.running() as runner:
        checkpoints = Checkpoints(FolderStore(Path(own)), digest)
        runner.run(Job(JOB, worker, rows, checkpoints, 1, units=[len(f.names) for f in files]))


def _digest(names: Sequence[str], config: TrainConfig) -> str:
    document = [PACK_VERSION, config.image_size, config.resize, config.interpolation, [*names]]
    return hashlib.sha256(json.dumps(document).encode()).hexdigest()
