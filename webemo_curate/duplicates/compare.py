"""Closer looks at candidate pairs, run by an engine: each pair is a row."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.geometry import NO_MATCH, Match, View, match, view
from webemo_curate.duplicates.hamming import Indices, Pairs
from webemo_curate.engine.base import Engine, Job
from webemo_curate.imaging import DecodeError, load_rgb, read_stored
from webemo_curate.storage.base import ImageReader, Images
from webemo_curate.storage.checkpoints import Checkpoints

PAIRS = pa.schema([("first", pa.string()), ("second", pa.string())])
MATCHES = pa.schema(
    [("inliers", pa.int32()), ("correlation", pa.float64()), ("overlap", pa.float64())]
)
CACHED_VIEWS = 256
"""Pictures kept ready: pairs come sorted by their first picture."""


@dataclass(frozen=True)
class CompareWorker:
    """Lays the second picture of each pair on the first; see `engine.base.Worker`.

    Attributes
    ----------
    images
        Reads the pictures.
    max_pixels
        Largest width times height that is decoded.
    """

    images: ImageReader
    max_pixels: int

    @property
    def output_schema(self) -> pa.Schema:
        """What is measured of a pair."""
        return MATCHES

    def setup(self) -> None:
        """Keep OpenCV to one thread: the engine has a process a core."""
        import cv2

        cv2.setNumThreads(1)

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Compare the pairs of a batch (schema `PAIRS`)."""
        pairs = zip(batch["first"].to_pylist(), batch["second"].to_pylist(), strict=True)
        return _batch([self._match(first, second) for first, second in pairs])

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return no match for a pair that killed its process."""
        return _batch([NO_MATCH] * batch.num_rows)

    def _match(self, first: str, second: str) -> Match:
        one, other = (_view(self.images, place, self.max_pixels) for place in (first, second))
        return match(one, other) if one and other else NO_MATCH


def compare_pairs(
    candidates: tuple[Indices, Indices],
    paths: npt.NDArray[np.object_],
    images: Images,
    engine: Engine,
    checkpoints: Checkpoints,
    config: DedupConfig,
    max_pixels: int,
) -> Pairs:
    """Look closer at candidate pairs and keep those of which one picture lies on the other.

    Parameters
    ----------
    candidates : tuple of ndarray of int64
        Positions of the pairs' first and second pictures.
    paths : ndarray of str
        Files by position.
    images : Images
        Reads them.
    engine : Engine
        Runs the comparisons.
    checkpoints : Checkpoints
        Finished comparisons.
    config : DedupConfig
        Says how well pictures must agree.
    max_pixels : int
        Largest width times height that is decoded.

    Returns
    -------
    Pairs
        Those that agree; the distance is 1 - correlation of their grey values.
    """
    first, second = candidates
    places = images.places(pa.array(paths, pa.string()))
    job = Job(
        name="compare",
        worker=CompareWorker(images.reader, max_pixels),
        rows=pa.table([places.take(first), places.take(second)], schema=PAIRS),
        checkpoints=checkpoints,
        partition_rows=config.partition_rows,
    )
    matches = engine.run(job)
    inliers, correlation = (matches[name].to_numpy() for name in ("inliers", "correlation"))
    same = (inliers >= config.min_inliers) & (correlation >= config.min_correlation)
    return Pairs(first[same], second[same], 1 - correlation[same])


@lru_cache(CACHED_VIEWS)
def _view(images: ImageReader, place: str, max_pixels: int) -> View | None:
    try:
        return view(load_rgb(read_stored(images, place), max_pixels))
    except DecodeError:
        return None  # gone or broken since the images stage, which verify reports


def _batch(matches: list[Match]) -> pa.RecordBatch:
    columns = [[getattr(found, name) for found in matches] for name in MATCHES.names]
    arrays = [pa.array(c, f.type) for c, f in zip(columns, MATCHES, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=MATCHES)
