"""Closer looks at candidate pairs, run by a runner: each pair is a row."""

from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import ImageOps

from webemo_curate.duplicates.geometry import Match, View, match, match_whole, view
from webemo_curate.duplicates.hash_keys import Indices
from webemo_curate.duplicates.known_looks import NOTHING_KNOWN, KnownLooks
from webemo_curate.duplicates.placings import PLACING, Placings, Proofs
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

MATCHES = pa.schema([("whole", PLACING), ("keypoints", PLACING)])
"""What the two placings showed; null where one was not tried."""

SURE = RelationLimits(inliers=16, correlation=0.97, changed=0.004)
"""Whole frames that agree so well are placed by no keypoints besides: no limits in use are as
strict. The limits that decide are not known here, so that others decide by the same placings."""

Placed = tuple[Match | None, Match | None]
"""Of whole frames, and by keypoints."""

CACHED_VIEWS = 256
"""Pictures kept ready: pairs come sorted by their first picture."""


@dataclass(frozen=True)
class CompareWorker:
    """Lays the second picture of each pair on the first; see `runner.job.Worker`.

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
        """Keep OpenCV to one thread, for the runner has a process a core; guard it."""
        prepare_opencv()

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Compare the pairs of a batch (schema `PAIRS`)."""
        pairs = zip(*(batch[name].to_pylist() for name in PAIRS.names), strict=True)
        return _batch([self._match(*pair) for pair in counted(pairs)])

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return no placing of a pair that killed its process."""
        return _batch([(None, None)] * batch.num_rows)

    def _match(self, first: str, second: str, whole: bool, mirrored: bool) -> Placed:
        one = _view(self.images, first, self.max_pixels, False)
        other = _view(self.images, second, self.max_pixels, mirrored)
        if one is None or other is None:
            return None, None
        if not whole:
            return None, match(one, other)
        laid = match_whole(one, other)
        sure = SURE.answer(laid, whole=True) == Relation.SAME
        return laid, None if sure else match(one, other)


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
    partition_rows
        Pairs that a worker gets at a time.
    max_pixels
        Largest width times height that is decoded.
    known
        Looks of an earlier run, which are not taken again.
    """

    images: ImageStore
    runner: Runner
    checkpoints: Checkpoints
    partition_rows: int
    max_pixels: int
    known: KnownLooks = NOTHING_KNOWN

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
            Whether whole frames are tried besides keypoints.
        mirrored : ndarray of bool, shape (pairs,)
            Whether the second picture is compared as its mirror image.

        Returns
        -------
        Proofs
            One for each pair.
        """
        proofs = self.known.find(paths, pairs, mirrored)
        lacking = ~proofs.keypoints.measured
        if whole:
            sure = SURE.answers(proofs.whole, np.ones(len(mirrored), bool)) == Relation.SAME
            lacking = ~(proofs.whole.measured & (sure | proofs.keypoints.measured))
        first, second = (side[lacking] for side in pairs)
        places = self.images.places(pa.array(paths, pa.string()))
        columns = [places.take(first), places.take(second), np.full(len(first), whole)]
        job = Job(
            name="compare",
            worker=CompareWorker(self.images.reader, self.max_pixels),
            rows=pa.table([*columns, mirrored[lacking]], schema=PAIRS),
            checkpoints=self.checkpoints,
            partition_rows=self.partition_rows,
        )
        found = proofs_of(self.runner.run(job))
        proofs.keypoints.put(lacking, found.keypoints)
        if whole:
            proofs.whole.put(lacking, found.whole)
        return proofs


def proofs_of(found: pa.Table) -> Proofs:
    """Return what a table of the schema `MATCHES` holds, as arrays."""
    return Proofs(*(Placings.of(found[name]) for name in MATCHES.names))


@lru_cache(CACHED_VIEWS)
def _view(images: ImageReader, place: str, max_pixels: int, mirrored: bool) -> View | None:
    try:
        picture = load_rgb(read_stored(images, place), max_pixels)
    except DecodeError:
        return None  # gone or broken since the images stage, which verify reports
    return view(ImageOps.mirror(picture) if mirrored else picture)


def _batch(matches: list[Placed]) -> pa.RecordBatch:
    columns = [
        [None if found is None else asdict(found) for found in placing]
        for placing in zip(*matches, strict=True)
    ]
    arrays = [pa.array(column, PLACING) for column in columns]
    return pa.RecordBatch.from_arrays(arrays, schema=MATCHES)
