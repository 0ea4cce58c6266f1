"""Closer looks at candidate pairs, run by a runner: each pair is a row."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import ImageOps

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.geometry import NO_MATCH, Match, View, match, match_whole, view
from webemo_curate.duplicates.hamming import Indices
from webemo_curate.duplicates.relation import Relation, RelationLimits
from webemo_curate.imaging import DecodeError, load_rgb, read_stored
from webemo_curate.imaging.opencv import prepare_opencv
from webemo_curate.runner.job import Job, Runner
from webemo_curate.runner.reporting import counted
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.protocols import ImageReader, ImageStore

PAIRS = pa.schema(
    [
        ("first", pa.string()),
        ("second", pa.string()),
        ("whole", pa.bool_()),
        ("mirrored", pa.bool_()),
    ]
)
"""A pair; whether whole frames are laid on one another first; whether the second is mirrored."""

MATCHES = pa.schema(
    [
        ("inliers", pa.int32()),
        ("placed", pa.float64()),
        ("correlation", pa.float64()),
        ("overlap", pa.float64()),
        ("agreeing", pa.float64()),
        ("changed", pa.float64()),
        ("answer", pa.int8()),
    ]
)
CACHED_VIEWS = 256
"""Pictures kept ready: pairs come sorted by their first picture."""


@dataclass(frozen=True)
class CompareWorker:
    """Lays the second picture of each pair on the first; see `runner.job.Worker`.

    Attributes
    ----------
    images
        Reads the pictures.
    rule
        Tells same pictures from siblings and strangers.
    max_pixels
        Largest width times height that is decoded.
    """

    images: ImageReader
    rule: RelationLimits
    max_pixels: int

    @property
    def output_schema(self) -> pa.Schema:
        """What is measured of a pair."""
        return MATCHES

    def setup(self) -> None:
        """Keep OpenCV to one thread, for the runner has a process a core; guard it."""
        prepare_opencv()

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Compare the pairs of a batch (schema `PAIRS`)."""
        pairs = zip(*(batch[name].to_pylist() for name in PAIRS.names), strict=True)
        return _batch([self._match(*pair) for pair in counted(pairs)], self.rule)

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return no match for a pair that killed its process."""
        return _batch([NO_MATCH] * batch.num_rows, self.rule)

    def _match(self, first: str, second: str, whole: bool, mirrored: bool) -> Match:
        one = _view(self.images, first, self.max_pixels, False)
        other = _view(self.images, second, self.max_pixels, mirrored)
        if one is None or other is None:
            return NO_MATCH
        if not whole:
            return match(one, other)
        laid = match_whole(one, other)
        if self.rule.answer(laid, whole=True) == Relation.SAME:
            return laid
        placed = match(one, other)
        return max((laid, placed), key=lambda found: self.rule.answer(found, found is laid))


class Proofs(NamedTuple):
    """What closer looks at pairs found; arrays in their order.

    Attributes
    ----------
    answer
        int8, a `Relation` each.
    correlation
        float32, of the gray values where the pictures overlap.
    changed
        float32, share of the overlap of the largest changed part.
    """

    answer: npt.NDArray[np.int8]
    correlation: npt.NDArray[np.float32]
    changed: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Prover:
    """Looks closer at pairs.

    Attributes
    ----------
    images
        Reads pictures.
    runner
        Runs the comparisons.
    checkpoints
        Finished comparisons.
    config
        Says how well pictures must agree.
    max_pixels
        Largest width times height that is decoded.
    """

    images: ImageStore
    runner: Runner
    checkpoints: Checkpoints
    config: DedupConfig
    max_pixels: int

    def prove(
        self,
        paths: npt.NDArray[np.object_],
        pairs: tuple[Indices, Indices],
        whole: bool,
        mirrored: npt.NDArray[np.bool_],
    ) -> Proofs:
        """Lay the second picture of each pair on the first.

        Parameters
        ----------
        paths : ndarray of str
            Files by position.
        pairs : tuple of ndarray of int64
            Positions of first and second pictures.
        whole : bool
            Whether whole frames are tried before keypoints.
        mirrored : ndarray of bool, shape (pairs,)
            Whether the second picture is compared as its mirror image.

        Returns
        -------
        Proofs
            One for each pair.
        """
        first, second = pairs
        places = self.images.places(pa.array(paths, pa.string()))
        columns = [places.take(first), places.take(second), np.full(len(first), whole), mirrored]
        job = Job(
            name="compare",
            worker=CompareWorker(
                self.images.reader, RelationLimits.of(self.config), self.max_pixels
            ),
            rows=pa.table(columns, schema=PAIRS),
            checkpoints=self.checkpoints,
            partition_rows=self.config.partition_rows,
        )
        found = self.runner.run(job)
        answer, correlation, changed = (
            found[name].to_numpy() for name in ("answer", "correlation", "changed")
        )
        return Proofs(answer, correlation.astype(np.float32), changed.astype(np.float32))


@lru_cache(CACHED_VIEWS)
def _view(images: ImageReader, place: str, max_pixels: int, mirrored: bool) -> View | None:
    try:
        picture = load_rgb(read_stored(images, place), max_pixels)
    except DecodeError:
        return None  # gone or broken since the images stage, which verify reports
    return view(ImageOps.mirror(picture) if mirrored else picture)


def _batch(matches: list[Match], rule: RelationLimits) -> pa.RecordBatch:
    names = [name for name in MATCHES.names if name != "answer"]
    columns = [[getattr(found, name) for found in matches] for name in names]
    columns.append([int(rule.answer(found, found.inliers == 0)) for found in matches])
    arrays = [pa.array(c, f.type) for c, f in zip(columns, MATCHES, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=MATCHES)
