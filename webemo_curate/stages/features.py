"""The features stage: local features of every picture, for duplicates that hashes miss."""

from typing import ClassVar

import pyarrow as pa

from webemo_curate.config import DecodingConfig, FeaturesConfig
from webemo_curate.duplicates.local_words import local_words
from webemo_curate.imaging import DecodeError, load_rgb, read_stored
from webemo_curate.imaging.opencv import prepare_opencv
from webemo_curate.imaging.picture_worker import PictureWorker
from webemo_curate.match_schemas import FEATURES
from webemo_curate.runner.job import Worker
from webemo_curate.runner.reporting import counted
from webemo_curate.stages.decoded_images import decoded_rows
from webemo_curate.stages.stage import RowLocalStage, StageContext, Tables


class FeaturesStage(RowLocalStage[FeaturesConfig]):
    """Finds keypoints; writes no rows if `enabled` is off."""

    name = "features"
    version = 4
    inputs: ClassVar = {"images": ("sha256", "path", "decode_status")}
    outputs = ("features",)
    seconds_a_row = 0.012

    def __init__(self, config: FeaturesConfig, decoding: DecodingConfig) -> None:
        super().__init__(config)
        self._decoding = decoding

    @property
    def partition_rows(self) -> int:
        """Rows handed to a worker at a time."""
        return self.config.partition_rows

    def select(self, tables: Tables) -> pa.Table:
        """Return hash and path of every decoded image."""
        images = tables["images"].select(["sha256", "path", "decode_status"])
        rows = decoded_rows(images).select(["sha256", "path"])
        return rows if self.config.enabled else rows.slice(0, 0)

    def worker(self, context: StageContext) -> Worker:
        """Return the worker that finds keypoints."""
        return FeaturesWorker(context.workspace.reader, self._decoding.max_pixels)


class FeaturesWorker(PictureWorker):
    """Describes pictures by local words."""

    @property
    def output_schema(self) -> pa.Schema:
        """The features manifest's schema."""
        return FEATURES

    def setup(self) -> None:
        """Limit OpenCV to one thread, as the runner has a process a core; guard this process."""
        prepare_opencv()

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Describe the pictures of a batch; see `runner.job.Worker.process`."""
        words = [self._words(place) for place in counted(batch["place"].to_pylist())]
        return _batch(batch["sha256"], words)

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return no words for pictures that killed their process."""
        return _batch(batch["sha256"], [[]] * batch.num_rows)

    def _words(self, place: str) -> list[int]:
        try:
            picture = load_rgb(read_stored(self.images, place), self.max_pixels)
        except DecodeError:
            return []  # missing or broken since the images stage; verify reports it
        words: list[int] = local_words(picture).ravel().tolist()
        return words


def _batch(sha256: pa.Array, words: list[list[int]]) -> pa.RecordBatch:
    columns = [sha256.cast(pa.string()), pa.array(words, pa.list_(pa.uint32()))]
    return pa.RecordBatch.from_arrays(columns, schema=FEATURES)
