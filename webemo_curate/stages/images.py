"""The images stage: decode every stored file once; describe, hash and measure it."""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from webemo_curate import gates
from webemo_curate.config import BOUNDS, DecodingConfig, ImagesConfig
from webemo_curate.conform import conform
from webemo_curate.duplicates.perceptual import phashes, reduce_color, reduce_gray
from webemo_curate.imaging import (
    DecodeError,
    Looks,
    guard_process,
    measure,
    read_looks,
    read_stored,
)
from webemo_curate.imaging.picture_worker import PictureWorker
from webemo_curate.own_faults import OwnFaultError, warn_of_own
from webemo_curate.quality_schemas import MEASURES
from webemo_curate.runner.reporting import counted
from webemo_curate.schemas import IMAGES
from webemo_curate.stages.stage import RowLocalStage, StageContext, Tables
from webemo_curate.verdicts import STORED, DecodeStatus
from webemo_curate.workspace import Workspace, image_path

Row = dict[str, Any]
FILE = ["path", "bytes"]
GRAY_MODES = ("1", "L")
"""Pillow's modes of files that store gray values only, as bytes or bits."""

OWN = [field.with_nullable(True) for field in MEASURES if field.name != "sha256"]
FOUND = pa.schema([*IMAGES, *OWN])
"""Columns of a worker's result: those of `images` and, for decoded images, of `measures`."""

CHANGED = "the stored file is no longer what was fetched"
CRASHED = f"the decoder crashed, or took more than {BOUNDS.seconds:.0f} s of processor time"


class ImagesStage(RowLocalStage[ImagesConfig]):
    """Decode, hash and measure each distinct stored file.

    Measures have their own manifest, so that readers of `images` stay current.
    """

    name = "images"
    version = 6
    inputs: ClassVar = {"fetch": ("status", "sha256", "suffix", "bytes")}
    gate = gates.IMAGES
    outputs = ("images", "measures")
    form = "-measured"
    seconds_a_row = 0.008

    def __init__(self, config: ImagesConfig, decoding: DecodingConfig) -> None:
        super().__init__(config)
        self._decoding = decoding

    def configuration(self) -> dict[str, Any]:
        """Return the settings that can change the result, the pixel limit included."""
        return super().configuration() | self._decoding.fingerprint()

    def demand(self, workspace: Workspace) -> str | None:
        """Say why to run although current: a missing or changed file has been brought back."""
        seen = workspace.read(self.name, ["sha256", "path", "decode_status", "decode_error"])
        missing = pc.equal(seen["decode_status"].cast(pa.string()), DecodeStatus.MISSING)
        changed = pc.fill_null(pc.equal(seen["decode_error"], CHANGED), False)
        lost = seen.filter(pc.or_(missing, changed)).select(["sha256", "path"]).to_pylist()
        back = any(workspace.holds_image(row["sha256"], Path(row["path"]).suffix) for row in lost)
        return "pictures that were missing or changed are back" if back else None

    @property
    def partition_rows(self) -> int:
        """Rows handed to a worker at a time."""
        return self.config.partition_rows

    def select(self, tables: Tables) -> pa.Table:
        """Return the distinct stored files, one row for each: sha256, path and bytes."""
        fetched = tables["fetch"].select(["status", "sha256", "suffix", "bytes"])
        stored = fetched.filter(pc.is_in(fetched["status"].cast(pa.string()), pa.array(STORED)))
        plain = stored.drop_columns("status").set_column(
            1, "suffix", stored["suffix"].cast(pa.string())
        )
        distinct = plain.group_by("sha256").aggregate([("suffix", "min"), ("bytes", "max")])
        names = zip(distinct["sha256"].to_pylist(), distinct["suffix_min"].to_pylist(), strict=True)
        paths = pa.array([image_path(sha256, suffix) for sha256, suffix in names], pa.string())
        return pa.table([distinct["sha256"], paths, distinct["bytes_max"]], ["sha256", *FILE])

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Decode and hash; log the program's own failures. See `Stage.run`."""
        found = self.work(tables, context)
        status = found["decode_status"].cast(pa.string())
        blamed = found.filter(pc.equal(status, DecodeStatus.INTERNAL_ERROR))
        warn_of_own(blamed["decode_error"].to_pylist(), "pictures")
        measured = found.filter(pc.equal(status, DecodeStatus.OK))
        return {
            "images": found.select(IMAGES.names),
            "measures": measured.select(MEASURES.names),
        }

    def worker(self, context: StageContext) -> "ImagesWorker":
        """Return the worker that decodes, hashes and measures."""
        return ImagesWorker(context.workspace.reader, self._decoding.max_pixels)


class ImagesWorker(PictureWorker):
    """Decodes, hashes and measures stored files."""

    @property
    def output_schema(self) -> pa.Schema:
        """The columns of both manifests."""
        return FOUND

    def setup(self) -> None:
        """Let the process be killed if a picture takes too long."""
        guard_process()

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Describe the files of a batch; see `runner.job.Worker.process`."""
        rows: list[Row] = []
        reduced: list[np.ndarray[Any, np.dtype[np.uint8]]] = []
        for file in counted(batch.to_pylist()):
            row, picture = self._describe(file.pop("place"), file)
            rows.append(row)
            if picture is not None:
                reduced.append(reduce_gray(picture))
        decoded = [row for row in rows if row["decode_status"] == DecodeStatus.OK]
        hashes = phashes(np.stack(reduced)).tolist() if reduced else []
        for row, (phash, mirrored), (gray, _) in zip(decoded, hashes, reduced, strict=True):
            row |= {"phash": phash, "phash_mirrored": mirrored, "gray": gray.tobytes()}
        return _to_batch(rows)

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of files whose decoding killed its process."""
        reason = _failure(DecodeStatus.CRASHED, CRASHED)
        return _to_batch([file | reason for file in batch.to_pylist()])

    def _describe(self, place: str, file: Row) -> tuple[Row, Image.Image | None]:
        """Return what is known (sha256, path, bytes) and found of a file, and its picture."""
        try:
            content = read_stored(self.images, place)
        except DecodeError as error:
            return file | _failure(error.status, str(error)), None
        if hashlib.sha256(content).hexdigest() != file["sha256"]:
            return file | _failure(DecodeStatus.CORRUPT, CHANGED), None
        try:
            looks = read_looks(content, self.max_pixels)
        except DecodeError as error:
            return file | _failure(error.status, str(error)), None
        except OwnFaultError as fault:
            return file | _failure(DecodeStatus.INTERNAL_ERROR, fault.what), None
        picture = looks.frame.picture
        measures = measure(picture, gray=looks.frame.mode in GRAY_MODES)
        return file | _properties(looks) | asdict(measures), picture


def _properties(looks: Looks) -> Row:
    frame = looks.frame
    return {
        "decode_status": DecodeStatus.OK,
        "format": frame.format.name,
        "width": frame.picture.width,
        "height": frame.picture.height,
        "mode": frame.mode,
        "frames": looks.frames,
        "frame": frame.number,
        "pixel_hash": looks.pixel_hash,
        "color": reduce_color(frame.picture).tobytes(),
    }


def _failure(status: DecodeStatus, reason: str) -> Row:
    return {"decode_status": status, "decode_error": reason}


def _to_batch(rows: list[Row]) -> pa.RecordBatch:
    columns = {name: [row.get(name) for row in rows] for name in FOUND.names}
    arrays = {
        name: pa.array(values, type=_plain(FOUND.field(name).type))
        for name, values in columns.items()
    }
    return conform(pa.table(arrays), FOUND).to_batches()[0]


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
