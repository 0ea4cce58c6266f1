"""Account for a job's rows: finished, under way, waiting, or lost with their worker."""

import logging
from collections import deque
from dataclasses import dataclass, field

import pyarrow as pa

from webemo_curate.conform import conform
from webemo_curate.errors import CurateError
from webemo_curate.runner.job import Job, partition_names
from webemo_curate.runner.messages import Died

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """Rows for one worker: a whole partition, or a single row tried alone."""

    partition: int
    offset: int
    rows: pa.RecordBatch
    alone: bool = False


@dataclass
class PartialRows:
    """Results of one partition, until all its rows are there."""

    rows: int
    parts: dict[int, pa.RecordBatch] = field(default_factory=dict)

    def complete(self) -> pa.Table | None:
        """Return the partition's rows in order; None while some are missing."""
        if sum(part.num_rows for part in self.parts.values()) < self.rows:
            return None
        return pa.Table.from_batches([self.parts[offset] for offset in sorted(self.parts)])


class Ledger:
    """The accounts of one job.

    Parameters
    ----------
    job : Job
        The job; partitions in its checkpoints are already finished.

    Attributes
    ----------
    tasks
        Tasks to hand out, in order.
    total
        Total number of units; see `Job.units`.
    before
        Number of units finished by earlier runs.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        partitions = job.partitions()
        self._names, finished = partition_names(partitions), job.checkpoints.finished()
        missing = [
            index
            for index, name in enumerate(self._names)
            if name not in finished or self._stored(index, partitions[index].num_rows) is None
        ]
        self.tasks = deque(Task(index, 0, partitions[index]) for index in missing)
        self.total = job.rows.num_rows if job.units is None else sum(job.units)
        self.before = self.total - sum(self._units(task, task.rows) for task in self.tasks)
        self._partial = {task.partition: PartialRows(task.rows.num_rows) for task in self.tasks}

    def collect(self, task: Task, rows: pa.RecordBatch) -> int:
        """Record the rows of a task, and store the partition if it is now complete.

        Returns
        -------
        int
            Number of units recorded.
        """
        self._partial[task.partition].parts[task.offset] = rows
        table = self._partial[task.partition].complete()
        if table is not None:
            self._job.checkpoints.save(self._names[task.partition], table)
            del self._partial[task.partition]
        return self._units(task, rows)

    def charge(self, task: Task, death: Died) -> int:
        """Handle the rows of a dead worker; only these rows are held responsible.

        Parameters
        ----------
        task : Task
            The task it was working on.
        death : Died
            How it died; if the rows cannot be the reason, they are handed out unchanged.

        Returns
        -------
        int
            Number of units recorded.
        """
        if death.innocent:
            self.tasks.appendleft(task)
            return 0
        if task.alone:
            logger.warning(
                "%s: a row killed its worker twice%s and is recorded: %s",
                self._job.name,
                death.hint,
                task.rows.column(0)[0],  # by convention, a job's first column identifies its rows
            )
            return self.collect(task, self._job.worker.crashed(task.rows))
        logger.warning(
            "%s: a worker died%s; its rows are tried one by one", self._job.name, death.hint
        )
        self.tasks.extendleft(
            Task(task.partition, offset, task.rows.slice(offset, 1), alone=True)
            for offset in range(task.rows.num_rows)
        )
        return 0

    def result(self) -> pa.Table:
        """Return all rows in the order of the input; call it when every task is collected."""
        tables = [self._stored(index) for index in range(len(self._names))]
        whole = [table for table in tables if table is not None]
        if len(whole) < len(tables):
            raise CurateError(
                f"{self._job.name}: its checkpoints were changed meanwhile by another program; "
                "run the same command again"
            )
        return pa.concat_tables(whole) if whole else self._job.worker.output_schema.empty_table()

    def _units(self, task: Task, rows: pa.RecordBatch) -> int:
        """Return how many units of the progress bar a task's rows count for."""
        if self._job.units is None:
            return rows.num_rows
        start = task.partition * self._job.partition_rows + task.offset
        return sum(self._job.units[start : start + rows.num_rows])

    def _stored(self, index: int, rows: int | None = None) -> pa.Table | None:
        """Return a partition as stored; None unless it can be the worker's result."""
        table = self._job.checkpoints.load(self._names[index])
        if table is None or rows not in (None, table.num_rows):
            return None
        try:
            conform(table, self._job.worker.output_schema)
        except (ValueError, pa.ArrowException):
            return None
        return table
