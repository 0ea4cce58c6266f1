"""The local engine: worker processes on one machine, each partition checkpointed as it is done."""

import logging
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import wait

import pyarrow as pa

from webemo_curate.engine.base import Job, partition_names
from webemo_curate.engine.process import READY, Done, Failed, WorkerProcess, from_ipc
from webemo_curate.errors import CurateError
from webemo_curate.progress import progress_bar

logger = logging.getLogger(__name__)

SETUP_ATTEMPTS = 3
"""Workers that may die in a row before their first batch; then the machine is at fault."""


@dataclass(frozen=True)
class Task:
    """Rows to hand to a worker: a whole partition, or one row of it tried alone."""

    partition: int
    offset: int
    rows: pa.RecordBatch
    alone: bool = False


@dataclass
class Gathering:
    """Results of one partition, until all its rows are there."""

    rows: int
    parts: dict[int, pa.RecordBatch] = field(default_factory=dict)

    def complete(self) -> pa.Table | None:
        """Return the partition's rows in order, or None while some are missing."""
        if sum(part.num_rows for part in self.parts.values()) < self.rows:
            return None
        return pa.Table.from_batches([self.parts[offset] for offset in sorted(self.parts)])


class LocalEngine:
    """Runs partitions in worker processes; a killed run goes on from its checkpoints.

    Parameters
    ----------
    workers : int, optional
        Processes; default the CPU cores this process may use.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or len(os.sched_getaffinity(0))

    def run(self, job: Job) -> pa.Table:
        """Run a job; see `Engine.run`."""
        partitions = job.partitions()
        names, finished = partition_names(partitions), job.checkpoints.finished()
        missing = [index for index, name in enumerate(names) if name not in finished]
        done = job.rows.num_rows - sum(partitions[index].num_rows for index in missing)
        with progress_bar(job.rows.num_rows, job.name, "row", done) as bar:
            for index, table in _Run(job, partitions, missing, self._workers).results():
                job.checkpoints.save(names[index], table)
                bar.update(table.num_rows)
        tables = [job.checkpoints.load(name) for name in names]
        return pa.concat_tables(tables) if tables else job.worker.output_schema.empty_table()


class _Run:
    """The driver's loop over one job's missing partitions."""

    def __init__(
        self, job: Job, partitions: list[pa.RecordBatch], missing: list[int], workers: int
    ) -> None:
        self._job = job
        self._tasks = deque(Task(index, 0, partitions[index]) for index in missing)
        self._gathering = {index: Gathering(partitions[index].num_rows) for index in missing}
        self._idle: list[WorkerProcess] = []
        self._busy: dict[WorkerProcess, Task | None] = {}
        self._limit = workers
        self._setup_deaths = 0

    def results(self) -> Iterator[tuple[int, pa.Table]]:
        """Yield finished partitions, in the order in which they are done."""
        with self._processes():
            while self._tasks or self._working():
                self._hand_out()
                for worker in self._talking():
                    task = self._listen(worker)
                    if task and (table := self._gathering[task.partition].complete()):
                        yield task.partition, table

    @contextmanager
    def _processes(self) -> Iterator[None]:
        try:
            yield
        finally:
            for worker in [*self._idle, *self._busy]:
                worker.kill()

    def _working(self) -> bool:
        return any(task is not None for task in self._busy.values())

    def _hand_out(self) -> None:
        while self._tasks and self._idle:
            worker, task = self._idle.pop(), self._tasks.popleft()
            self._busy[worker] = task
            worker.send(task.rows)
        starting = sum(task is None for task in self._busy.values())
        while len(self._busy) < self._limit and starting < len(self._tasks):
            self._busy[WorkerProcess(self._job.worker)] = None  # setting up
            starting += 1

    def _talking(self) -> list[WorkerProcess]:
        by_connection = {worker.connection: worker for worker in self._busy}
        return [by_connection[connection] for connection in wait(list(by_connection))]  # type: ignore[index]

    def _listen(self, worker: WorkerProcess) -> Task | None:
        """Take a worker's message; returns the task whose results it added to, if any."""
        message, task = worker.receive(), self._busy.pop(worker)
        if message is None:
            worker.kill()
            return self._mourn(task)
        if isinstance(message, Failed):
            worker.kill()
            raise CurateError(message.message or f"{self._job.name} failed:\n{message.trace}")
        self._idle.append(worker)
        if message == READY or task is None:
            self._setup_deaths = 0
            return None
        assert isinstance(message, Done)  # noqa: S101 - the only message left
        return self._gather(task, from_ipc(message.rows))

    def _mourn(self, task: Task | None) -> Task | None:
        """Deal with what a dead worker was doing: only its own rows are charged."""
        if task is None:
            self._setup_deaths += 1
            if self._setup_deaths >= SETUP_ATTEMPTS:
                raise CurateError(
                    f"{self._job.name}: workers die while they are set up; "
                    "is there enough memory? Try fewer with --workers"
                )
            return None
        if task.alone:
            logger.warning("%s: a row killed its worker twice and is recorded", self._job.name)
            return self._gather(task, self._job.worker.crashed(task.rows))
        logger.warning("%s: a worker died; its rows are tried one by one", self._job.name)
        self._tasks.extendleft(
            Task(task.partition, offset, task.rows.slice(offset, 1), alone=True)
            for offset in range(task.rows.num_rows)
        )
        return None

    def _gather(self, task: Task, rows: pa.RecordBatch) -> Task:
        self._gathering[task.partition].parts[task.offset] = rows
        return task
