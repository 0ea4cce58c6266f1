"""The protocols of row-local work: jobs, workers, and the runners that run them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import pyarrow as pa

from webemo_curate.table_digest import content_digest

if TYPE_CHECKING:
    from webemo_curate.runner.conversation import Partners

DIGEST_DIGITS = 16


@dataclass(frozen=True)
class Resources:
    """The resources that one worker of a stage needs.

    Attributes
    ----------
    cpus
        CPU cores.
    gpus
        GPUs; a fraction lets workers share one.
    memory_bytes
        Most memory of its own that it needs, in bytes. The default suffices to decode the largest
        allowed picture (64 megapixels with transparency: 1.6 GB were measured).
    """

    cpus: float = 1
    gpus: float = 0
    memory_bytes: int = 2 * 2**30


class Worker(Protocol):
    """The row-local part of a stage: pickled to a process, set up there once, then given batches.

    `process` must be a pure function of the batch and the worker's own fields.
    """

    @property
    def output_schema(self) -> pa.Schema:
        """Schema of what `process` returns."""

    def setup(self) -> None:
        """Load models and open clients; called once, in the worker's process."""

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Process rows; return one row for each, in order."""

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the outcome of rows that killed their worker when tried alone."""


@runtime_checkable
class Staffed(Protocol):
    """A worker with helper processes of its own: it has a machine, or a GPU, to itself."""

    def staffed(self, processes: int) -> Worker:
        """Return the worker with this many helper processes, at least one."""


class Finished(Protocol):
    """Finished partitions, by name; see `storage.checkpoints.Checkpoints`."""

    def finished(self) -> set[str]:
        """Return the names of the stored partitions."""

    def save(self, name: str, table: pa.Table) -> None:
        """Store a partition."""

    def load(self, name: str) -> pa.Table | None:
        """Return a partition; None if it is missing or damaged."""


@dataclass(frozen=True)
class Job:
    """A row-local computation.

    Attributes
    ----------
    name
        Stage name, shown in the progress bar.
    worker
        The worker to run.
    rows
        The input rows.
    checkpoints
        Stores finished partitions, where an equal job finds them.
    partition_rows
        Rows that are handed out, checkpointed and retried together.
    resources
        Resources that a worker needs.
    unit
        Unit that the progress bar counts.
    units
        Number of units for each row; by default one.
    """

    name: str
    worker: Worker
    rows: pa.Table
    checkpoints: Finished
    partition_rows: int
    resources: Resources = Resources()
    unit: str = "image"
    units: Sequence[int] | None = None

    def partitions(self) -> list[pa.RecordBatch]:
        """Split the input into batches of `partition_rows`."""
        return [
            self.rows.slice(start, self.partition_rows).combine_chunks().to_batches()[0]
            for start in range(0, self.rows.num_rows, self.partition_rows)
        ]


def partition_names(partitions: Sequence[pa.RecordBatch]) -> list[str]:
    """Name partitions by position and content, so that another division never finds these results.

    Parameters
    ----------
    partitions : sequence of pa.RecordBatch
        The partitions, as returned by `Job.partitions`.

    Returns
    -------
    list of str
        A file name without suffix for each partition.
    """
    return [
        f"part-{index:06d}-{content_digest(pa.Table.from_batches([rows]))[:DIGEST_DIGITS]}"
        for index, rows in enumerate(partitions)
    ]


class Runner(Protocol):
    """Runs the partitions of a job."""

    def run(self, job: Job) -> pa.Table:
        """Run every partition not yet checkpointed.

        Parameters
        ----------
        job : Job
            The job to run.

        Returns
        -------
        pa.Table
            The workers' rows in the order of the input rows, whatever the number of workers.

        Raises
        ------
        CurateError
            If a worker cannot be set up.
        """

    def partners(self) -> "AbstractContextManager[Partners]":
        """Yield where processes run that converse with this one; see `conversation`."""

    def close(self) -> None:
        """Release what jobs leave running; another job starts it again."""
