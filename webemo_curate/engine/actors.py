"""Workers as Ray actors: one each, never restarted by Ray, as the driver knows what was lost."""

import logging
import time
from typing import Any

import pyarrow as pa
import ray
from ray.exceptions import ActorUnavailableError, ObjectLostError, RayActorError, RayError

from webemo_curate.engine.base import Job, Resources, Worker
from webemo_curate.engine.messages import (
    ONE_THREAD,
    Died,
    Done,
    Failed,
    Message,
    Ready,
    set_up,
    to_ipc,
    work,
)
from webemo_curate.errors import InputError

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 30.0
"""Time without any worker after which the user is told what is waited for."""
NODE_NEWS_SECONDS = 1.0
"""Time that the news of a node's death may come after that of its workers'."""
NODE_DIED = "its node has died"
"""Ray's words, in an error that has no field for it."""


class _Actor:
    """Holds a worker in a process of the cluster."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def node(self) -> str:
        """Return the id of the node it is on."""
        return ray.get_runtime_context().get_node_id()

    def set_up(self) -> Ready | Failed:
        return set_up(self._worker)

    def work(self, batch: bytes) -> Done | Failed:
        return work(self._worker, batch)


class Hand:
    """One actor; see `driver.Hand`.

    Parameters
    ----------
    worker : Worker
        Pickled to the cluster, set up there.
    needs : Resources
        What Ray keeps for it.
    """

    def __init__(self, worker: Worker, needs: Resources) -> None:
        # Any: what `remote` makes of a class is typed in part only.
        actor: Any = (
            ray.remote(_Actor)
            .options(
                num_cpus=needs.cpus,
                num_gpus=needs.gpus,
                memory=needs.memory_bytes,
                max_restarts=0,
                max_task_retries=0,
                runtime_env={"env_vars": ONE_THREAD},
            )
            .remote(worker)
        )
        self._node: Any = actor.node.remote()
        self.answer: Any = actor.set_up.remote()
        self._actor = actor

    def send(self, batch: pa.RecordBatch) -> None:
        """Hand over a batch; a dead actor shows when it is listened to."""
        self.answer = self._actor.work.remote(to_ipc(batch))

    def receive(self) -> Message:
        """Return the actor's answer, which is there, or that the actor has died."""
        try:
            message: Message = ray.get(self.answer)
        except (ActorUnavailableError, ObjectLostError):
            return Died(innocent=True)  # the network, or the node that held the answer
        except RayActorError as error:
            if error.actor_init_failed:
                return Failed(None, str(error))
            return Died(innocent=NODE_DIED in str(error) or self._node_is_gone())
        except RayError as error:
            return Failed(None, str(error))
        return message

    def kill(self) -> None:
        """End its process at once."""
        ray.kill(self._actor)

    def _node_is_gone(self) -> bool:
        time.sleep(NODE_NEWS_SECONDS)
        try:
            node = ray.get(self._node)
        except RayError:
            return False
        return node not in {alive["NodeID"] for alive in _nodes()}


class Actors:
    """Actors on the connected cluster; see `driver.Crew`.

    Parameters
    ----------
    job : Job
        Says what worker.
    needs : Resources
        Of a worker.
    size : int, optional
        Actors; default as many as the cluster holds.
    grows : bool
        Whether nodes may come that the cluster does not have yet.

    Raises
    ------
    InputError
        If no worker fits on a cluster that does not grow.
    """

    def __init__(self, job: Job, needs: Resources, size: int | None, *, grows: bool) -> None:
        self._job, self._needs = job, needs
        self._told = False
        fits = sum(_fit(node["Resources"], needs) for node in _nodes())
        if not fits and not grows:
            raise InputError(f"{job.name}: this machine has not what a worker needs: {needs}")
        self.size = size or max(fits, 1)

    def hire(self) -> Hand:
        """Ask Ray for an actor."""
        return Hand(self._job.worker, self._needs)

    def listen(self, hands: list[Hand]) -> list[tuple[Hand, Message]]:
        """Wait until some of these have an answer."""
        by_answer = {hand.answer: hand for hand in hands}
        answers = list(by_answer)
        while not ray.wait(answers, timeout=PATIENCE_SECONDS)[0]:
            self._tell_what_is_waited_for()
        ready, _ = ray.wait(answers, num_returns=len(answers), timeout=0)
        return [(by_answer[answer], by_answer[answer].receive()) for answer in ready]

    def _tell_what_is_waited_for(self) -> None:
        free: dict[str, float] = ray.available_resources()  # type: ignore[no-untyped-call]
        if not self._told and not _fit(free, self._needs):
            self._told = True
            logger.warning("%s: no room for more workers, of %s", self._job.name, self._needs)


def _nodes() -> list[dict[str, Any]]:
    known: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return [node for node in known if node["Alive"]]


def _fit(room: dict[str, float], needs: Resources) -> int:
    """Return how many workers a node's resources hold."""
    wanted = {"CPU": needs.cpus, "GPU": needs.gpus, "memory": needs.memory_bytes}
    return min(int(room.get(name, 0) // part) for name, part in wanted.items() if part)
