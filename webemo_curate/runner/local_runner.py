"""The local runner: worker processes on one machine, with a checkpoint for each partition."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from multiprocessing.connection import wait

import pyarrow as pa

from webemo_curate.machine import usable_cores
from webemo_curate.runner.conversation import LocalPartners
from webemo_curate.runner.job import Job, Staffed, Worker
from webemo_curate.runner.messages import Message
from webemo_curate.runner.scheduler import run_job
from webemo_curate.runner.worker_process import WorkerProcess

SHARES = 4
"""Partitions for each worker in a small job, so that no worker waits long for another's last
one."""


AROUND_A_GPU = 2
"""Processes a core beside the one that holds a GPU; they mostly wait for its answers. On sixteen
cores beside an H200, 40 processes read 381 photos a second with the cores 23 % busy, and 15 read
239."""


class LocalRunner:
    """Runs partitions in worker processes; a killed run goes on from its checkpoints.

    Parameters
    ----------
    workers : int, optional
        Number of processes, by default one a core. For a worker with a GPU: the number of its
        helper processes, by default two a core.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers

    def run(self, job: Job) -> pa.Table:
        """Run a job; see `Runner.run`."""
        size = self._workers or usable_cores()
        if isinstance(job.worker, Staffed):
            processes = self._workers or AROUND_A_GPU * usable_cores()
            job, size = replace(job, worker=job.worker.staffed(processes)), 1
        job = replace(job, partition_rows=partition_size(job, size))
        return run_job(job, lambda: nullcontext(_Processes(job.worker, size)))

    def partners(self) -> AbstractContextManager[LocalPartners]:
        """Yield where processes run that converse with this one; see `Runner.partners`."""
        return nullcontext(LocalPartners(self._workers or usable_cores()))

    def close(self) -> None:
        """Do nothing: processes end with their job."""


def partition_size(job: Job, workers: int) -> int:
    """Return how many rows to hand out at a time, so that every worker gets some of a small job.

    Parameters
    ----------
    job : Job
        The job; its `partition_rows` are the upper limit. A GPU always gets that many.
    workers : int
        Number of workers.

    Returns
    -------
    int
        Small enough that each worker gets `SHARES` partitions, if there are enough rows.
    """
    if job.resources.gpus:
        return job.partition_rows
    return max(1, min(job.partition_rows, -(-job.rows.num_rows // (workers * SHARES))))


class _Processes:
    """Processes on this machine; see `scheduler.WorkerPool`."""

    def __init__(self, worker: Worker, size: int) -> None:
        self._worker, self.size = worker, size

    def start_worker(self) -> WorkerProcess:
        return WorkerProcess(self._worker)

    def listen(self, workers: list[WorkerProcess]) -> list[tuple[WorkerProcess, Message]]:
        ready = set(wait([worker.connection for worker in workers]))
        return [(worker, worker.receive()) for worker in workers if worker.connection in ready]
