"""The search for near keypoints as jobs of a runner: the words are mapped by all processes."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from webemo_curate.duplicates.local_words import TABLES
from webemo_curate.duplicates.meetings import Meet, by_threads
from webemo_curate.duplicates.neighbors import Keypoints, Meetings, Range, SortedList
from webemo_curate.duplicates.shared_arrays import MappingWorker, shared_arrays
from webemo_curate.runner.job import Job, Runner
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.protocols import Store

WORDS: Final = "data/words"
"""Where the keypoints of a search lie while it runs."""

FEW: Final = 8
"""Blocks that are over before processes have started: those of some 30,000 pictures."""

BLOCKS: Final = pa.schema(
    [
        ("search", pa.string()),
        ("words", pa.string()),
        ("owners", pa.string()),
        ("table", pa.int32()),
        ("low", pa.int64()),
        ("high", pa.int64()),
        ("start", pa.int64()),
        ("stop", pa.int64()),
    ]
)
"""A block: a name for messages, the keys of `Keypoints`, which list, its classes, and the range of
later keypoints."""

MET: Final = pa.schema([("met", pa.large_list(pa.uint64()))])


class Block(NamedTuple):
    """A range of classes of one sorted list."""

    table: int
    classes: Range


@dataclass(frozen=True)
class WordWorker(MappingWorker):
    """Meets the keypoints of blocks; see `runner.job.Worker`."""

    compared = "local features"

    @property
    def output_schema(self) -> pa.Schema:
        """The meetings of a block."""
        return MET

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Meet the keypoints of the blocks of a batch (schema `BLOCKS`)."""
        met = []
        for _, words, owners, table, *ends in zip(*batch.to_pydict().values(), strict=True):
            sorted_list = _sorted_list(self.store.local(words), self.store.local(owners), table)
            low, high, start, stop = ends
            met.append(sorted_list.meet((low, high), (start, stop)))
        return pa.RecordBatch.from_arrays([pa.array(met, MET[0].type)], schema=MET)


@dataclass(frozen=True)
class WordSearch:
    """Meets keypoints as `meetings.by_threads` does, over all workers of a runner.

    Attributes
    ----------
    store
        Where all workers find the keypoints.
    runner
        Runs the blocks; one that is lost with its worker is handed out again.
    checkpoints
        Finished blocks: a killed search goes on.
    """

    store: Store
    runner: Runner
    checkpoints: Checkpoints

    @contextmanager
    def __call__(self, keypoints: Keypoints) -> Iterator[Meet]:
        """Share the keypoints and meet them; where they are few, in this process."""
        lists = (SortedList(keypoints, table) for table in range(TABLES))
        blocks = [Block(each.table, classes) for each in lists for classes in each.blocks()]
        if len(blocks) <= FEW:
            with by_threads(keypoints) as meet:
                yield meet
            return
        arrays = keypoints.words, keypoints.owners
        with shared_arrays(self.store, WORDS, *arrays) as keys:
            yield partial(self._meet, keys, blocks)

    def _meet(
        self, keys: Sequence[str], blocks: Sequence[Block], later: Range
    ) -> Iterable[Meetings]:
        """Yield the meetings of each block; a list at a time, as all would take much memory."""
        for _, some in groupby(blocks, lambda block: block.table):
            rows = [("words", *keys, table, *classes, *later) for table, classes in some]
            job = Job(
                name="words",
                worker=WordWorker(self.store),
                rows=pa.table([[*column] for column in zip(*rows, strict=True)], schema=BLOCKS),
                checkpoints=self.checkpoints,
                partition_rows=1,
                unit="block",
            )
            for chunk in self.runner.run(job)["met"].chunks:
                yield chunk.flatten().to_numpy()


@lru_cache(1)
def _sorted_list(words: Path, owners: Path, table: int) -> SortedList:
    """Open a list in a worker's process: the keypoints are mapped, shared by all of a machine."""
    return SortedList(
        Keypoints(np.load(words, mmap_mode="r"), np.load(owners, mmap_mode="r")), table
    )
