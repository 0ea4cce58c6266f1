"""The search for near hashes as jobs of a runner: the hashes are mapped by all processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from webemo_curate.duplicates.hamming import Pairs, Pass, Search, Sides, joined, pairs_of_each
from webemo_curate.duplicates.shared_arrays import MappingWorker, shared_arrays
from webemo_curate.runner.job import Job, Runner
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.protocols import Store

HASHES: Final = "data/hashes"
"""Where the hashes of a search lie while it runs."""

FEW: Final = 4
"""Passes that are over before processes have started."""

PASSES: Final = pa.schema(
    [
        ("search", pa.string()),
        ("queries", pa.string()),
        ("base", pa.string()),
        ("radius", pa.int32()),
        ("start", pa.int64()),
        ("stop", pa.int64()),
        ("shares", pa.int64()),
    ]
)
"""A pass: a name for messages, the keys of both sides' hashes, where there are two, what is sought,
and `Pass`."""

FOUND: Final = pa.schema(
    [
        ("left", pa.list_(pa.int64())),
        ("right", pa.list_(pa.int64())),
        ("distance", pa.list_(pa.int64())),
    ]
)


@dataclass(frozen=True)
class SearchWorker(MappingWorker):
    """Runs passes of a search; see `runner.job.Worker`."""

    compared = "hashes"

    @property
    def output_schema(self) -> pa.Schema:
        """The pairs that a pass finds."""
        return FOUND

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Run the passes of a batch (schema `PASSES`)."""
        found = []
        for _, queries, base, radius, *part in zip(*batch.to_pydict().values(), strict=True):
            others = None if base is None else self.store.local(base)
            search = _search(self.store.local(queries), others, radius)
            found.append(joined([*search.run(Pass(*part))]))
        columns = zip(*found, strict=True)
        arrays = [
            pa.array(list(column), field.type) for column, field in zip(columns, FOUND, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=FOUND)


@dataclass(frozen=True)
class PairSearch:
    """Searches as `hamming.pairs_of_each` does, over all workers of a runner.

    Attributes
    ----------
    store
        Where all workers find the hashes.
    runner
        Runs the passes; one that is lost with its worker is handed out again.
    checkpoints
        Finished passes: a killed search goes on.
    """

    store: Store
    runner: Runner
    checkpoints: Checkpoints

    def __call__(self, searches: Sequence[Sides], radius: int) -> list[Pairs]:
        """Find what differs in at most `radius` bits, for each of several searches in one job."""
        passes = [Search(*sides, radius).passes() for sides in searches]
        counts = [*map(len, passes)]
        if sum(counts) < FEW:
            return pairs_of_each(searches, radius)
        arrays = {id(side): side for sides in searches for side in sides if side is not None}
        with shared_arrays(self.store, HASHES, *arrays.values()) as names:
            keys = dict(zip(arrays, names, strict=True))
            rows = [
                (
                    "pairs",
                    keys[id(queries)],
                    None if base is None else keys[id(base)],
                    radius,
                    *part,
                )
                for (queries, base), parts in zip(searches, passes, strict=True)
                for part in parts
            ]
            columns = zip(*rows, strict=True)
            job = Job(
                name="search",
                worker=SearchWorker(self.store),
                rows=pa.table([list(column) for column in columns], schema=PASSES),
                checkpoints=self.checkpoints,
                partition_rows=1,
                unit="pass",
            )
            found = self.runner.run(job)
        ends = accumulate(counts)
        return [_pairs(found.slice(end - n, n)) for end, n in zip(ends, counts, strict=True)]


def _pairs(found: pa.Table) -> Pairs:
    return Pairs(*(column.combine_chunks().flatten().to_numpy() for column in found.columns))


@lru_cache(1)
def _search(queries: Path, base: Path | None, radius: int) -> Search:
    """Open a search in a worker's process: the hashes are mapped, shared by all of a machine."""
    others = None if base is None else np.load(base, mmap_mode="r")
    return Search(np.load(queries, mmap_mode="r"), others, radius)
