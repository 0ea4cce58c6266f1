"""The images stage: decode every stored body once and record what it is and how it looks."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from webemo_curate.config import ImagesConfig
from webemo_curate.duplicates.perceptual import phashes, reduce_gray
from webemo_curate.imaging import DecodeError, open_checked, pixel_hash, to_rgb
from webemo_curate.manifest import conform
from webemo_curate.schemas import IMAGES, DecodeStatus, FetchStatus
from webemo_curate.stages.base import RowLocalStage, StageContext, Tables
from webemo_curate.workspace import Workspace

Row = dict[str, Any]


class ImagesStage(RowLocalStage[ImagesConfig]):
    """Decode and hash each distinct stored file."""

    name = "images"
    inputs = ("fetch",)
    outputs = ("images",)

    @property
    def partition_rows(self) -> int:
        """Rows handed to a worker at a time."""
        return self.config.partition_rows

    def select(self, tables: Tables) -> pa.Table:
        """Return the distinct stored files, one row each: sha256, suffix and bytes."""
        fetched = tables["fetch"].select(["status", "sha256", "suffix", "bytes"])
        stored = fetched.filter(pc.equal(fetched["status"].cast(pa.string()), FetchStatus.OK))
        plain = stored.drop_columns("status").set_column(
            1, "suffix", stored["suffix"].cast(pa.string())
        )
        distinct = plain.group_by("sha256").aggregate([("suffix", "min"), ("bytes", "max")])
        return distinct.rename_columns(["sha256", "suffix", "bytes"]).sort_by("sha256")

    def worker(self, context: StageContext) -> "ImagesWorker":
        """Return the worker that decodes and hashes."""
        return ImagesWorker(context.workspace.root, self.config.max_pixels)


@dataclass(frozen=True)
class ImagesWorker:
    """Decodes and hashes stored files.

    Attributes
    ----------
    root
        The workspace.
    max_pixels
        Largest width times height that is decoded.
    """

    root: Path
    max_pixels: int

    @property
    def output_schema(self) -> pa.Schema:
        """The images manifest's schema."""
        return IMAGES

    def setup(self) -> None:
        """Need nothing."""

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Describe the files of a batch; see `engine.base.Worker.process`."""
        rows: list[Row] = []
        reduced: list[np.ndarray[Any, np.dtype[np.uint8]]] = []
        for location in self._locations(batch):
            row, picture = self._describe(location)
            rows.append(row)
            if picture is not None:
                reduced.append(reduce_gray(picture))
        decoded = [row for row in rows if row["decode_status"] == DecodeStatus.OK]
        hashes = phashes(np.stack(reduced)).tolist() if reduced else []
        for row, (phash, mirrored) in zip(decoded, hashes, strict=True):
            row |= {"phash": phash, "phash_mirrored": mirrored}
        return _to_batch(rows)

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of files whose decoding killed its process."""
        reason = {"decode_status": DecodeStatus.CRASHED, "decode_error": "the decoder crashed"}
        return _to_batch([location | reason for location in self._locations(batch)])

    def _locations(self, batch: pa.RecordBatch) -> list[Row]:
        workspace = Workspace(self.root)
        return [
            {
                "sha256": row["sha256"],
                "path": workspace.image_path(row["sha256"], row["suffix"]),
                "bytes": row["bytes"],
            }
            for row in batch.to_pylist()
        ]

    def _describe(self, location: Row) -> tuple[Row, Image.Image | None]:
        try:
            content = (self.root / location["path"]).read_bytes()
        except OSError as error:
            return location | _failure(DecodeStatus.MISSING, str(error.strerror)), None
        if hashlib.sha256(content).hexdigest() != location["sha256"]:
            reason = "the stored file is no longer what was fetched"
            return location | _failure(DecodeStatus.CORRUPT, reason), None
        try:
            image = open_checked(content, self.max_pixels)
            picture = to_rgb(image)
        except DecodeError as error:
            return location | _failure(error.status, str(error)), None
        return location | _properties(image, picture), picture


def _properties(image: Image.Image, picture: Image.Image) -> Row:
    return {
        "decode_status": DecodeStatus.OK,
        "format": image.format,
        "width": picture.width,
        "height": picture.height,
        "mode": image.mode,
        "pixel_hash": pixel_hash(picture),
    }


def _failure(status: DecodeStatus, reason: str) -> Row:
    return {"decode_status": status, "decode_error": reason}


def _to_batch(rows: list[Row]) -> pa.RecordBatch:
    columns = {name: [row.get(name) for row in rows] for name in IMAGES.names}
    arrays = {
        name: pa.array(values, type=_plain(IMAGES.field(name).type))
        for name, values in columns.items()
    }
    return conform(pa.table(arrays), IMAGES).to_batches()[0]


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
