"""Describe a picture by all that it is compared by; run by a runner, a file is a row."""

from typing import Any

import pyarrow as pa

from webemo_curate.duplicates.local_words import local_words
from webemo_curate.duplicates.perceptual import phashes, reduce_color, reduce_gray
from webemo_curate.fields import COLOR, GRAY
from webemo_curate.imaging import DecodeError, read_looks, read_stored
from webemo_curate.imaging.opencv import prepare_opencv
from webemo_curate.imaging.picture_worker import PictureWorker
from webemo_curate.runner.reporting import counted

FILES = pa.schema([("place", pa.string())])
LOOKS = pa.schema(
    [
        ("pixel_hash", pa.string()),
        ("phash", pa.uint64()),
        ("phash_mirrored", pa.uint64()),
        ("gray", GRAY),
        ("color", COLOR),
        ("words", pa.list_(pa.uint32())),
    ]
)
"""Null throughout for a file that is no image."""


class DescribeWorker(PictureWorker):
    """Hashes pictures and finds their local words; see `runner.job.Worker`."""

    @property
    def output_schema(self) -> pa.Schema:
        """How a file looks."""
        return LOOKS

    def setup(self) -> None:
        """Keep OpenCV to one thread, for the runner has a process a core; guard it."""
        prepare_opencv()

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Describe the files of a batch (schema `FILES`)."""
        rows = [self._describe(place) for place in counted(batch["place"].to_pylist())]
        return pa.RecordBatch.from_pylist(rows, schema=LOOKS)

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Describe files that killed their process as no images."""
        return pa.RecordBatch.from_pylist([{}] * batch.num_rows, schema=LOOKS)

    def _describe(self, place: str) -> dict[str, Any]:
        try:
            looks = read_looks(read_stored(self.images, place), self.max_pixels)
        except DecodeError:
            return {}
        picture = looks.frame.picture
        reduced = reduce_gray(picture)
        upright, mirrored = phashes(reduced).tolist()
        return {
            "pixel_hash": looks.pixel_hash,
            "phash": upright,
            "phash_mirrored": mirrored,
            "gray": reduced[0].tobytes(),
            "color": reduce_color(picture).tobytes(),
            "words": local_words(picture).ravel().tolist(),
        }
