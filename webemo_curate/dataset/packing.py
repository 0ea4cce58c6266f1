"""Pack images: decode them once into files of equal squares; each file is a row of a job."""

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
from webemo_curate.imaging import guard_process, keep_freed
from webemo_curate.progress import ProgressBar
from webemo_curate.runner.job import Job
from webemo_curate.runner.reporting import counted, reporting_to
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore
from webemo_curate.storage.protocols import ImageReader, Store
from webemo_curate.temporary_folder import temporary_folder

logger = logging.getLogger(__name__)

SHARD_IMAGES = 512
"""Images in a packed file: 100 MB at 256 pixels. This bounds the memory, and the work that a kill
can undo."""

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
        Receives the files.
    config
        Size, and how a picture becomes a square.
    max_pixels
        Largest width times height decoded.
    """

    images: ImageReader
    store: Store
    config: TrainConfig
    max_pixels: int

    @property
    def output_schema(self) -> pa.Schema:
        """The keys of the files written."""
        return KEYS

    def setup(self) -> None:
        """Let the process be killed if a picture takes too long, and keep what pictures free."""
        guard_process()
        keep_freed()

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
        """Write one file, decoding its pictures in child processes that a picture may crash."""
        squares = read_squares(self.images, _named(row), self.config, self.max_pixels)
        self._save(row["key"], squares)

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Raise an error that names the picture: training cannot do without it."""
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
    """Return SHA-256 and place of each image in a file."""
    return list(zip(row["names"], row["places"], strict=True))


def pack(
    names: Sequence[str], places: Sequence[str], config: TrainConfig, work: WorkContext
) -> list[NDArray[np.uint8]]:
    """Pack the images that are not packed yet, and map the files.

    Parameters
    ----------
    names : sequence of str
        SHA-256 of each image.
    places : sequence of str
        Place of each image.
    config : TrainConfig
        Size, and how a picture becomes a square.
    work : WorkContext
        Its workspace stores the files, under names made from content and settings.

    Returns
    -------
    list of ndarray of uint8, shape (images of the file, 3, S, S)
        `SHARD_IMAGES` images each; the last file holds the rest.

    Raises
    ------
    InputError
        If an image is missing or cannot be decoded.
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
    """Images packed into one file: their SHA-256 and places."""

    key: str
    names: Sequence[str]
    places: Sequence[str]

    def open(self, config: TrainConfig, store: Store) -> NDArray[np.uint8] | None:
        """Map the file; if it is damaged, log this, remove it and return None."""
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
        # A runner would start processes for a single file; here this process uses them all for it.
        bar = ProgressBar(len(files[0].names), JOB, "image")
        with bar, reporting_to(bar.update):
            worker.pack_apart(rows.to_pylist()[0])
        return
    # Later runs find the packed files themselves. Another process that packs now writes equal
    # files.
    own_folder = TemporaryDirectory(prefix="webemo-curate-", dir=temporary_folder())
    with own_folder as own, work.running() as runner:
        checkpoints = Checkpoints(FolderStore(Path(own)), digest)
        runner.run(Job(JOB, worker, rows, checkpoints, 1, units=[len(f.names) for f in files]))


def _digest(names: Sequence[str], config: TrainConfig) -> str:
    document = [PACK_VERSION, config.image_size, config.resize, config.interpolation, [*names]]
    return hashlib.sha256(json.dumps(document).encode()).hexdigest()
