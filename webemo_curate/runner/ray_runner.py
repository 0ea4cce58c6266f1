"""The Ray runner: workers are actors on a cluster; Ray only places them.

Ray retries nothing itself: the driver notices the death of a worker, and its ledger decides about
the rows. Actors end with their driver; finished partitions remain as its checkpoints.
"""

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from webemo_curate import __version__
from webemo_curate.config import RunnerConfig
from webemo_curate.errors import InputError
from webemo_curate.optional_packages import require_package
from webemo_curate.runner.job import Job, Resources, Staffed, Worker
from webemo_curate.runner.memory import end_beyond, held_bytes
from webemo_curate.runner.messages import (
    ONE_THREAD,
    Advanced,
    Died,
    Done,
    Failed,
    Message,
    Ready,
    set_up,
    to_ipc,
    work,
)
from webemo_curate.runner.ray_cluster import meet_cluster, places_for, ray_module
from webemo_curate.runner.ray_counts import BatchCounts, DriverCounts
from webemo_curate.runner.ray_partners import RayPartners
from webemo_curate.runner.scheduler import run_job

logger = logging.getLogger(__name__)

NODE_NEWS_SECONDS = 1.0
"""Seconds by which the news of a node's death may follow that of its workers."""

NODE_DIED = "its node has died"
"""Ray's words in its error message, which has no field for this."""

RAISE = "raise --worker-memory"

PATIENCE_SECONDS = 60.0
"""Seconds without a message from any worker after which the user is told what is awaited."""


class RayRunner:
    """Runs partitions in actors of an existing cluster, or of one started on this machine.

    Parameters
    ----------
    config : RunnerConfig
        Address of the cluster, and resources of a worker on it.
    workers : int, optional
        Number of actors at once; by default as many as the cluster has room for.

    Raises
    ------
    InputError
        If Ray is not installed.
    """

    def __init__(self, config: RunnerConfig, workers: int | None = None) -> None:
        require_package("ray", ", or leave the option out")
        self._config, self._workers = config, workers
        self._connected = False
        self._counts: DriverCounts | None = None

    def run(self, job: Job) -> pa.Table:
        """Run a job; see `Runner.run`."""
        return run_job(job, lambda: self._pool(job))

    @contextmanager
    def partners(self) -> Iterator[RayPartners]:
        """Yield the cluster's places for processes that converse; see `Runner.partners`."""
        self._join()
        needs = _needs(Resources(), self._config) | {"GPU": 0}
        size = self._places(needs, "fetch")
        yield RayPartners(size, needs)

    def close(self) -> None:
        """Leave the cluster, unless this process had already joined it elsewhere.

        A cluster started here ends at this point, or with this process.
        """
        if self._counts is not None:
            self._counts.close()
            self._counts = None
        if self._connected:
            ray_module().shutdown()
            self._connected = False

    @contextmanager
    def _pool(self, job: Job) -> Iterator["_Actors"]:
        self._join()
        needs = _needs(job.resources, self._config)
        size = self._places(needs, job.name)
        worker = job.worker
        if isinstance(worker, Staffed):
            worker = worker.staffed(int(needs["CPU"]) - 1)
        self._counts = self._counts or DriverCounts()
        yield _Actors(worker, needs, size, self._counts)

    def _join(self) -> None:
        if meet_cluster(self._config.cluster, self._workers or 0):
            self._connected, self._counts = True, None

    def _places(self, needs: dict[str, float], name: str) -> int:
        """Return how many workers run at once; raise if no node has room for one."""
        size = places_for(needs)
        if not size:
            raise InputError(
                f"{name}: no node of the Ray cluster has {_in_words(needs)} for a worker; "
                "ask for less with --worker-cpus, --worker-gpus or --worker-memory"
            )
        return min(self._workers or size, size)


class _Actor:
    """A worker's side: runs in a process of the cluster."""

    def set_up(self, worker: Worker, version: str, memory: int) -> Ready | Failed:
        """Set the worker up if the driver's version matches and `memory` bytes (0: any) suffice."""
        if version != __version__:
            node = socket.gethostname()
            return _refused(f"node {node} has webemo-curate {__version__}, this is {version}")
        self._worker = worker
        answer = set_up(worker)
        if not memory or isinstance(answer, Failed):
            return answer
        if held_bytes() > memory:
            return _refused(f"a worker holds {held_bytes()} bytes once it is set up: {RAISE}")
        end_beyond(memory)
        return answer

    def work(self, batch: bytes, counts: BatchCounts) -> Done | Failed:
        with counts.telling():
            return work(self._worker, batch)

    def node(self) -> str:
        """Return the id of the node that it runs on."""
        node: str = ray_module().get_runtime_context().get_node_id()
        return node


class _RayHand:
    """The driver's side of one actor; see `scheduler.WorkerHandle`."""

    def __init__(self, actor: Any, worker: Any, memory: int, counts: DriverCounts) -> None:
        self._actor, self._memory, self._counts = actor, memory, counts
        self.batch = 0
        self._node = actor.node.remote()
        self.answer = actor.set_up.remote(worker, __version__, memory)

    def send(self, batch: pa.RecordBatch) -> None:
        counts = self._counts.of_next_batch()
        self.batch = counts.batch
        self.answer = self._actor.work.remote(to_ipc(batch), counts)

    def receive(self) -> Message:
        """Return the message that arrived; a dead actor's rows are innocent if its node died."""
        errors = ray_module().exceptions
        try:
            message: Message = ray_module().get(self.answer)
        except (errors.ActorUnavailableError, errors.ObjectLostError):
            return Died(innocent=True)  # the network, or the node that held the answer
        except errors.RayActorError as error:
            if error.actor_init_failed:  # the next one would fail too
                return Failed(None, str(error))
            return Died(innocent=self._lost_its_node(error), hint=self._hint())
        except errors.RayError as error:
            return Failed(None, str(error))  # nothing died: the worker cannot run there
        return message

    def has_died(self) -> bool:
        try:
            ray_module().get(self._actor.node.remote())
        except ray_module().exceptions.RayActorError:
            return True
        return False

    def kill(self) -> None:
        ray_module().kill(self._actor)

    def _hint(self) -> str:
        if not self._memory:
            return ""
        return f" (it crashed, or held more than {self._memory} bytes: {RAISE})"

    def _lost_its_node(self, error: Exception) -> bool:
        if NODE_DIED in str(error):
            return True
        try:
            home = ray_module().get(self._node, timeout=NODE_NEWS_SECONDS)
        except ray_module().exceptions.RayError:
            return False  # died during set-up; calling that innocent would retry for ever
        time.sleep(NODE_NEWS_SECONDS)
        return not any(node["NodeID"] == home and node["Alive"] for node in ray_module().nodes())


class _Actors:
    """Actors of one job; see `scheduler.WorkerPool`."""

    def __init__(
        self, worker: Worker, needs: dict[str, float], size: int, counts: DriverCounts
    ) -> None:
        self.size, self._counts = size, counts
        self._worker = ray_module().put(worker)
        self._memory = int(needs["memory"])
        self._actor: Any = (
            ray_module()
            .remote(_Actor)
            .options(
                num_cpus=needs["CPU"],
                num_gpus=needs["GPU"],
                memory=needs["memory"],
                max_restarts=0,
                max_task_retries=0,
                runtime_env={"env_vars": ONE_THREAD},
            )
        )

    def start_worker(self) -> _RayHand:
        return _RayHand(self._actor.remote(), self._worker, self._memory, self._counts)

    def listen(self, workers: list[_RayHand]) -> list[tuple[_RayHand, Message]]:
        by_answer = {worker.answer: worker for worker in workers}
        ready: list[Any] = []
        while not ready:
            awaited = [*by_answer, *self._counts.awaited()]  # answers before counts
            ready, _ = ray_module().wait(awaited, num_returns=1, timeout=PATIENCE_SECONDS)
            if not ready:
                logger.info("waiting for %d workers of the Ray cluster", len(workers))
        if ready[0] not in by_answer:
            return self._advanced(workers)
        self._counts.ask()
        return [(by_answer[answer], by_answer[answer].receive()) for answer in ready]

    def _advanced(self, workers: list[_RayHand]) -> list[tuple[_RayHand, Message]]:
        """Return the workers' counts for their present batches; late counts are ignored."""
        at = {worker.batch: worker for worker in workers}
        told = self._counts.taken()
        return [(at[batch], Advanced(rows)) for batch, rows in told.items() if batch in at]


def _refused(reason: str) -> Failed:
    return Failed(f"--run-on ray: {reason}", "", wrong_input=True)


def _needs(resources: Resources, config: RunnerConfig) -> dict[str, float]:
    """Return the resources of a worker: the stage's needs, or the user's settings."""
    asked = {"CPU": config.cpus, "GPU": config.gpus, "memory": config.memory}
    own = {"CPU": resources.cpus, "GPU": resources.gpus, "memory": resources.memory_bytes}
    return {name: own[name] if value is None else value for name, value in asked.items()}


def _in_words(needs: dict[str, float]) -> str:
    return ", ".join(f"{amount:g} {name}" for name, amount in needs.items() if amount)
