"""The ocr stage: find and read the text of every image once, and store all boxes for the rule."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from webemo_curate.config import FilterTextConfig
from webemo_curate.imaging import DecodeError, load_rgb
from webemo_curate.ocr.base import TextBox, TextDetector
from webemo_curate.ocr.choose import choose_engine, make_detector
from webemo_curate.schemas import OCR, DecodeStatus
from webemo_curate.stages.base import RowLocalStage, StageContext, Tables

logger = logging.getLogger(__name__)

Row = dict[str, Any]


class OcrStage(RowLocalStage[FilterTextConfig]):
    """Run a text engine over every image that decodes."""

    name = "ocr"
    inputs = ("images",)
    outputs = ("ocr",)

    @property
    def partition_rows(self) -> int:
        """Rows handed to a worker at a time."""
        return self.config.partition_rows

    def configuration(self) -> dict[str, Any]:
        """Return what changes boxes: the engine as resolved, not the thresholds of the rule."""
        choice = choose_engine(self.config)
        return {
            "engine": choice.engine,
            "engine_version": choice.version,
            "short_side": self.config.short_side,
            "score_floor": self.config.score_floor,
        }

    def select(self, tables: Tables) -> pa.Table:
        """Return the decodable images: sha256, path, width and height."""
        images = tables["images"]
        decodable = pc.equal(images["decode_status"].cast(pa.string()), DecodeStatus.OK)
        return images.filter(decodable).select(["sha256", "path", "width", "height"])

    def worker(self, context: StageContext) -> "OcrWorker":
        """Return the worker that holds the engine."""
        choice = choose_engine(self.config)
        logger.info("text engine: %s on %s: %s", choice.engine, choice.device, choice.reason)
        detector = make_detector(self.config, choice)
        return OcrWorker(context.workspace.root, choice.engine, choice.version, detector)


@dataclass(frozen=True)
class OcrWorker:
    """Reads stored images and runs a detector over them.

    Attributes
    ----------
    root
        The workspace.
    engine, engine_version
        Recorded with every row.
    detector
        Finds and reads text.
    """

    root: Path
    engine: str
    engine_version: str
    detector: TextDetector

    @property
    def output_schema(self) -> pa.Schema:
        """The ocr manifest's schema."""
        return OCR

    def setup(self) -> None:
        """Load the detector's networks."""
        self.detector.setup()

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Find the text of a batch of images; see `engine.base.Worker.process`."""
        rows = batch.to_pylist()
        decoded = [self._decode(row) for row in rows]
        sound = [image for image in decoded if isinstance(image, Image.Image)]
        found = iter(self._detect(sound))
        outcomes = [
            next(found) if isinstance(image, Image.Image) else _unreadable(image)
            for image in decoded
        ]
        return self._to_batch(rows, outcomes)

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of images that killed the engine's process."""
        rows = batch.to_pylist()
        return self._to_batch(rows, [_unreadable("the text engine crashed")] * len(rows))

    def _decode(self, row: Row) -> Image.Image | str:
        """Return the image, or why there is none."""
        try:
            # No more pixels than the images stage counted: a file swapped since is not decoded.
            return load_rgb(self.root / row["path"], row["width"] * row["height"])
        except DecodeError as error:
            return str(error)

    def _detect(self, images: Sequence[Image.Image]) -> list[Row]:
        try:
            return [_readable(boxes) for boxes in self.detector.detect(images)]
        except Exception as error:  # engines raise many kinds; one image must not cost the others
            if len(images) == 1:
                return [_unreadable(f"{type(error).__name__}: {error}")]
            return [outcome for image in images for outcome in self._detect([image])]

    def _to_batch(self, rows: list[Row], outcomes: list[Row]) -> pa.RecordBatch:
        engine = {"engine": self.engine, "engine_version": self.engine_version}
        full = [
            {"sha256": row["sha256"]} | engine | outcome
            for row, outcome in zip(rows, outcomes, strict=True)
        ]
        return pa.RecordBatch.from_pylist(full, schema=OCR)


def _readable(boxes: list[TextBox]) -> Row:
    return {"readable": True, "error": None, "boxes": [asdict(box) for box in boxes]}


def _unreadable(reason: str) -> Row:
    return {"readable": False, "error": reason, "boxes": []}
