"""Drive a job: start workers, hand out rows, receive results, and keep the ledger."""

import errno
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Generic, Protocol, TypeVar

import pyarrow as pa

from webemo_curate.errors import CurateError
from webemo_curate.progress import ProgressBar
from webemo_curate.runner.job import Job
from webemo_curate.runner.ledger import Ledger, Task
from webemo_curate.runner.messages import Advanced, Died, Done, Failed, Message, from_ipc
from webemo_curate.system_faults import has_working_memory, lacking, raise_file_limit

SETUP_ATTEMPTS = 3
"""Workers that may die in a row before their first batch; after more, the machine is at fault."""


class WorkerHandle(Protocol):
    """One worker in a process of its own, on this machine or another."""

    def send(self, batch: pa.RecordBatch) -> None:
        """Send a batch; the death of a worker is noticed when it is listened to."""

    def has_died(self) -> bool:
        """Return whether a worker that waits for a batch has died meanwhile."""

    def kill(self) -> None:
        """End its process at once."""


WorkerT = TypeVar("WorkerT", bound=WorkerHandle)


class WorkerPool(Protocol[WorkerT]):
    """The source of workers, in which alone the runners differ."""

    @property
    def size(self) -> int:
        """Number of workers at once."""

    def start_worker(self) -> WorkerT:
        """Start a worker; its first message says that it is set up, or why not."""

    def listen(self, workers: list[WorkerT]) -> list[tuple[WorkerT, Message]]:
        """Wait until some of these workers have a message, and return the messages."""


def run_job(
    job: Job, assemble: Callable[[], AbstractContextManager[WorkerPool[WorkerT]]]
) -> pa.Table:
    """Run a job's missing partitions; see `Runner.run`.

    Parameters
    ----------
    job : Job
        The job to run.
    assemble : callable
        Makes a pool of workers for the job; not called if nothing is missing.

    Returns
    -------
    pa.Table
        The workers' rows in the order of the input rows.

    Raises
    ------
    CurateError
        If a worker fails, or cannot be set up.
    """
    raise_file_limit()
    ledger = Ledger(job)
    with ProgressBar(ledger.total, job.name, job.unit, ledger.before) as bar:
        if ledger.tasks:
            with assemble() as pool:
                for rows in run_tasks(job, ledger, pool):
                    bar.update(rows)
    return ledger.result()


def run_tasks(job: Job, ledger: Ledger, pool: WorkerPool[WorkerT]) -> Iterator[int]:
    """Yield numbers of rows as they are done, until all tasks are; negative if rows are lost.

    Parameters
    ----------
    job : Job
        The job to run.
    ledger : Ledger
        The job's accounts.
    pool : WorkerPool
        The source of workers; every worker is released at the end.

    Raises
    ------
    CurateError
        If a worker fails, or cannot be set up.
    """
    yield from _Run(job, ledger, pool).rows_done()


class _Run(Generic[WorkerT]):
    """One job's workers, and the task of each."""

    def __init__(self, job: Job, ledger: Ledger, pool: WorkerPool[WorkerT]) -> None:
        self._name, self._ledger, self._pool = job.name, ledger, pool
        self._idle: list[WorkerT] = []
        self._rested: set[WorkerT] = set()  # those of them that found nothing to do
        self._busy: dict[WorkerT, Task | None] = {}  # None during set-up
        self._setup_deaths = 0
        self._memory = job.resources.memory_bytes
        self._told: Counter[WorkerT] = Counter()  # finished rows of its task
        self._cramped: set[WorkerT] = set()  # got a row alone while memory was short

    def rows_done(self) -> Iterator[int]:
        """Yield numbers of rows as they are done, until all are; negative if rows are lost."""
        try:
            while self._ledger.tasks or self._working():
                self._hand_out()
                for worker, message in self._pool.listen(list(self._busy)):
                    yield self._take(worker, message)
        finally:
            for worker in [*self._idle, *self._busy]:
                worker.kill()

    def _working(self) -> bool:
        return any(task is not None for task in self._busy.values())

    def _hand_out(self) -> None:
        tasks = self._ledger.tasks
        while tasks and self._idle:
            worker = self._idle.pop()
            if worker in self._rested and worker.has_died():
                worker.kill()  # of which no row is the reason
                continue
            task = self._busy[worker] = tasks.popleft()
            if task.alone and not has_working_memory(self._memory):
                self._cramped.add(worker)
            worker.send(task.rows)
        starting = sum(task is None for task in self._busy.values())
        while len(self._busy) < self._pool.size and starting < len(tasks):
            self._busy[self._pool.start_worker()] = None
            starting += 1
        self._rested = {*self._idle}

    def _take(self, worker: WorkerT, message: Message) -> int:
        """Act on a worker's message; return how many more rows are done than before it."""
        if isinstance(message, Advanced):
            self._told[worker] += message.rows
            return message.rows
        return self._end(worker, message) - self._told.pop(worker, 0)

    def _end(self, worker: WorkerT, message: Message) -> int:
        """Act on the end of a worker's task; return how many of its rows are recorded."""
        task = self._busy.pop(worker)
        if isinstance(message, Died):
            worker.kill()
            return self._charge(task, message, cramped=worker in self._cramped)
        if isinstance(message, Failed):
            worker.kill()
            raise message.as_error(self._name)
        self._idle.append(worker)
        self._cramped.discard(worker)
        self._setup_deaths = 0
        if isinstance(message, Done) and task is not None:
            return self._ledger.collect(task, from_ipc(message.rows))
        return 0

    def _charge(self, task: Task | None, death: Died, *, cramped: bool) -> int:
        if death.killed and cramped:
            raise lacking(errno.ENOMEM)  # killed for lack of memory: no verdict
        if task is not None:
            return self._ledger.charge(task, death)
        self._setup_deaths += not death.innocent
        if self._setup_deaths >= SETUP_ATTEMPTS:
            raise CurateError(
                f"{self._name}: workers die while they are set up; "
                "is there enough memory? Try fewer with --workers"
            )
        return 0
