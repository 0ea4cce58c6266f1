"""Packing: images decoded once into files of equal squares; a file is a row of a runner's job."""

import hashlib
import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image, ImageOps

from webemo_curate.config import TrainConfig
from webemo_curate.dataset.packed_files import PACKED, open_packed, write_packed
from webemo_curate.errors import CurateError, InputError
from webemo_curate.imaging import DecodeError, load_rgb, read_stored
from webemo_curate.remedies import bringing_back
from webemo_curate.runner.job import Job
from webemo_curate.runner.local_runner import usable_cores
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore
from webemo_curate.storage.protocols import ImageReader, Store
from webemo_curate.verdicts import DecodeStatus

logger = logging.getLogger(__name__)

SHARD_IMAGES = 512
"""Images in a packed file: 100 MB at 256 pixels, which bounds memory and what a kill can undo."""

PACK_VERSION = 3
"""Raised whenever equal images and settings would give other pixels."""

INTERPOLATIONS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}

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
    threads
        Pictures decoded at once; one where a runner has a process a core.
    """

    images: ImageReader
    store: Store
    config: TrainConfig
    max_pixels: int
    threads: int = 1

    @property
    def output_schema(self) -> pa.Schema:
        """The keys of the files that are there."""
        return KEYS

    def setup(self) -> None:
        """Do nothing: there is no model to load."""

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Write the files of a batch (schema `ROWS`)."""
        for row in batch.to_pylist():
            named = list(zip(row["names"], row["places"], strict=True))
            pixels = read_squares(self.images, named, self.config, self.max_pixels, self.threads)
            with self.store.writing(row["key"]) as partial, partial.open("wb") as stream:
                write_packed(stream, pixels)
        return pa.RecordBatch.from_arrays([batch["key"]], schema=KEYS)

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Stop: a training cannot do without some of its images."""
        raise CurateError(
            f"{self.store.where(batch['key'][0].as_py())}: packing kills its process; is there "
            "enough memory? Try a smaller --image-size"
        )


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


def read_square(
    images: ImageReader, place: str, config: TrainConfig, max_pixels: int, sha256: str | None = None
) -> NDArray[np.uint8]:
    """Decode one image and make it a square.

    Parameters
    ----------
    images : ImageReader
        Reads the file.
    place : str
        Where it lies.
    config : TrainConfig
        Side, and how a picture becomes a square.
    max_pixels : int
        Largest width times height that is decoded.
    sha256 : str, optional
        Of the file, where it is known.

    Returns
    -------
    ndarray of uint8, shape (3, S, S)
        RGB.

    Raises
    ------
    InputError
        If it is missing, has other bytes or does not decode.
    """
    try:
        content = read_stored(images, place)
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise DecodeError(DecodeStatus.CORRUPT, "it has other bytes than are listed")
        image = load_rgb(content, max_pixels)
    except DecodeError as error:
        again = bringing_back(images.home) if sha256 else "give a file that is one"
        raise InputError(f"{place}: the image cannot be read ({error}); {again}") from error
    return to_square(image, config)


def to_square(image: Image.Image, config: TrainConfig) -> NDArray[np.uint8]:
    """Make a picture the square that networks take.

    Parameters
    ----------
    image : PIL.Image.Image
        Upright RGB.
    config : TrainConfig
        Side, and how a picture becomes a square.

    Returns
    -------
    ndarray of uint8, shape (3, S, S)
        RGB.
    """
    size, method = (config.image_size, config.image_size), INTERPOLATIONS[config.interpolation]
    square = (
        image.resize(size, method)
        if config.resize == "squash"
        else ImageOps.fit(image, size, method)
    )
    return np.ascontiguousarray(np.asarray(square).transpose(2, 0, 1))


def read_squares(
    images: ImageReader,
    named: Sequence[tuple[str, str]],
    config: TrainConfig,
    max_pixels: int,
    threads: int,
) -> NDArray[np.uint8]:
    """Decode images, given by SHA-256 and place, in threads; see `read_square`.

    Returns shape (images, 3, S, S).
    """

    def read(image: tuple[str, str]) -> NDArray[np.uint8]:
        return read_square(images, image[1], config, max_pixels, image[0])

    with ThreadPoolExecutor(threads) as pool:
        return np.stack(list(pool.map(read, named)))


def _write(
    files: Sequence[_PackedFile], digest: str, config: TrainConfig, work: WorkContext
) -> None:
    columns = [[getattr(file, name) for file in files] for name in ROWS.names]
    rows = pa.table(columns, schema=ROWS)
    workspace = work.workspace
    worker = PackWorker(workspace.reader, workspace.store, config, work.max_pixels)
    if rows.num_rows == 1:
        # Starting another process would take longer than the work.
        here = replace(worker, threads=usable_cores())
        here.process(rows.combine_chunks().to_batches()[0])
        return
    # The packed files themselves are what a later run finds. Who else packs now, packs the same.
    with TemporaryDirectory(prefix="webemo-curate-") as own, work.running() as runner:
        checkpoints = Checkpoints(FolderStore(Path(own)), digest)
        runner.run(Job(JOB, worker, rows, checkpoints, partition_rows=1))


def _digest(names: Sequence[str], config: TrainConfig) -> str:
    document = [PACK_VERSION, config.image_size, config.resize, config.interpolation, [*names]]
    return hashlib.sha256(json.dumps(document).encode()).hexdigest()
