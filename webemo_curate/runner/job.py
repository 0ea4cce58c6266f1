"""The seam between row-local stages and machines: what a worker is and what a runner promises."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import pyarrow as pa

from webemo_curate.table_digest import content_digest

DIGEST_DIGITS = 16


@dataclass(frozen=True)
class Resources:
    """The needs of one worker of a stage.

    Attributes
    ----------
    cpus
        CPU cores.
    gpus
        GPUs; a fraction lets workers share one.
    memory_bytes
        Most of its own memory that it needs. The default is for decoding the largest picture that
        is decoded (64 megapixels with transparency: 1.6 GB were measured).
    """

    cpus: float = 1
    gpus: float = 0
    memory_bytes: int = 2 * 2**30


class Worker(Protocol):
    """The row-local part of a stage: pickled to a process, set up there once, fed batches.

    `process` must be a pure function of the batch and the worker's own fields.
    """

    @property
    def output_schema(self) -> pa.Schema:
        """Schema of what `process` returns."""

    def setup(self) -> None:
        """Load models and open clients; called once, in the worker's process."""

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Work on rows; returns one row for each, in their order."""

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the outcome of rows that killed their worker when tried alone."""


@runtime_checkable
class Staffed(Protocol):
    """A worker with processes of its own around it: one has a machine, or a GPU, to itself."""

    def staffed(self, processes: int) -> Worker:
        """Return the worker with so many processes around it, at least one."""


class Finished(Protocol):
    """Finished partitions, by name; see `storage.checkpoints.Checkpoints`."""

    def finished(self) -> set[str]:
        """Return the names of those that are there."""

    def save(self, name: str, table: pa.Table) -> None:
        """Store one."""

    def load(self, name: str) -> pa.Table | None:
        """Return one; None if it is not there as it was saved."""


@dataclass(frozen=True)
class Job:
    """One row-local computation.

    Attributes
    ----------
    name
        Stage name, shown in the progress bar.
    worker
        What is run.
    rows
        Its input.
    checkpoints
        Finished partitions; equal jobs find theirs there.
    partition_rows
        Rows handed out, checkpointed and retried together.
    resources
        What a worker needs.
    unit
        What the progress bar counts.
    units
        How many of those each row stands for; default one.
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
        """Cut the input into batches of `partition_rows`."""
        return [
            self.rows.slice(start, self.partition_rows).combine_chunks().to_batches()[0]
            for start in range(0, self.rows.num_rows, self.partition_rows)
        ]


def partition_names(partitions: Sequence[pa.RecordBatch]) -> list[str]:
    """Name partitions by place and content, so that another cut never finds this one's results.

    Parameters
    ----------
    partitions : sequence of pa.RecordBatch
        As `Job.partitions` cuts them.

    Returns
    -------
    list of str
        A file name each, without suffix.
    """
    return [
        f"part-{index:06d}-{content_digest(pa.Table.from_batches([rows]))[:DIGEST_DIGITS]}"
        for index, rows in enumerate(partitions)
    ]


class Runner(Protocol):
    """Runs a job's partitions somewhere."""

    def run(self, job: Job) -> pa.Table:
        """Run every partition not yet checkpointed.

        Parameters
        ----------
        job : Job
            What to run.

        Returns
        -------
        pa.Table
            The workers' rows in the order of the input rows, whatever the worker count.

        Raises
        ------
        CurateError
            If a worker cannot be set up.
        """

    def close(self) -> None:
        """Let go of what jobs leave running; another job starts it again."""
