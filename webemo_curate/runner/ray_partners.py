"""Processes of a Ray cluster that converse with the driver; see `conversation`."""

import asyncio
import itertools
from contextlib import suppress
from typing import Any, Final

from webemo_curate import __version__
from webemo_curate.runner.conversation import Talker, run_to_end
from webemo_curate.runner.messages import ONE_THREAD, Died, Failed, failure
from webemo_curate.runner.patient_loop import PatientLoop
from webemo_curate.runner.ray_cluster import ray_module
from webemo_curate.system_faults import raise_file_limit

FIXED: Final[dict[str, Any]] = {
    "max_restarts": 0,
    "max_task_retries": 0,
    "max_concurrency": 1000,
    "runtime_env": {"env_vars": ONE_THREAD},
}
"""Ray's options of every actor: it restarts nothing itself, and messages wait for no other."""


class _TalkingActor:
    """A talker's side: runs in a process of the cluster, on an event loop of its own there.

    Ray's own loop, on which the actor's methods run, would count how late it is.
    """

    def __init__(self) -> None:
        self._loop = PatientLoop()
        self._heard: asyncio.Queue[Any] = asyncio.Queue()
        self._said: asyncio.Queue[Any] = asyncio.Queue()
        self._early: dict[int, Any] = {}
        self._next = 0

    async def begin(self, talker: Talker, version: str) -> None:
        """Begin to converse, if the driver's version is this one's."""
        raise_file_limit()
        if version != __version__:
            said = f"--run-on ray: a node has webemo-curate {__version__}, this is {version}"
            self._said.put_nowait(Failed(said, "", wrong_input=True))
        else:
            self._talking = asyncio.create_task(self._talk(talker))

    async def tell(self, number: int, message: Any) -> None:
        """Take a message; Ray may change the order of calls, so they are numbered."""
        self._early[number] = message
        while self._next in self._early:
            with suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(self._heard.put_nowait, self._early[self._next])
            del self._early[self._next]
            self._next += 1

    async def hear(self) -> list[Any]:
        """Return what the talker has said since the last call, as soon as there is something."""
        messages = [await self._said.get()]
        while not self._said.empty():
            messages.append(self._said.get_nowait())
        return messages

    async def _talk(self, talker: Talker) -> None:
        loop = asyncio.get_running_loop()

        def say(message: object) -> None:
            loop.call_soon_threadsafe(self._said.put_nowait, message)

        try:
            await asyncio.to_thread(run_to_end, talker.converse(self._heard, say), self._loop)
        except Exception as error:
            say(failure(error))


class RayPartner:
    """The driver's side of one actor; see `conversation.Partner`.

    Parameters
    ----------
    actor : ray.actor.ActorHandle
        A `_TalkingActor`.
    talker : Talker
        Its work.
    """

    def __init__(self, actor: Any, talker: Talker) -> None:
        self._actor, self._numbers = actor, itertools.count()
        self._begun = actor.begin.remote(talker, __version__)
        self.ask()

    def ask(self) -> None:
        """Ask for what it says next."""
        self.answer = self._actor.hear.remote()

    def tell(self, message: object) -> None:
        """Send a message; see `conversation.Partner`."""
        self._actor.tell.remote(next(self._numbers), message)

    def kill(self) -> None:
        """End its process; see `conversation.Partner`."""
        ray_module().kill(self._actor)

    def said(self) -> list[Any]:
        """Return the messages that have arrived, or the news of its death."""
        errors = ray_module().exceptions
        try:
            messages: list[Any] = ray_module().get(self.answer)
        except (errors.RayActorError, errors.ObjectLostError):
            return [Died()]
        except errors.RayError as error:
            return [Failed(None, str(error))]
        self.ask()
        return messages


class RayPartners:
    """Actors of a cluster; see `conversation.Partners`.

    Parameters
    ----------
    size : int
        Most actors at once.
    needs : dict of str to float
        Resources of each: CPU, GPU and memory.
    """

    def __init__(self, size: int, needs: dict[str, float]) -> None:
        self.size, self._turns = size, itertools.count()
        self._actor: Any = ray_module().remote(_TalkingActor)
        self._room = {"num_cpus": needs["CPU"], "memory": needs["memory"]}

    def start(self, talker: Talker) -> RayPartner:
        """Start an actor; see `Partners.start`."""
        actor = self._actor.options(**self._room, scheduling_strategy="SPREAD", **FIXED)
        return RayPartner(actor.remote(), talker)

    def restart(self, talker: Talker) -> RayPartner:
        """Start an actor in place of one that died, on a node that has workers; see `Partners`.

        It takes no room of its own there: with its node the room of the dead one may be gone.
        """
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        alive = [node for node in ray_module().nodes() if node["Alive"]]
        homes = [node["NodeID"] for node in alive if node["Resources"].get("CPU")]
        place: Any = "SPREAD"
        if homes:
            place = NodeAffinitySchedulingStrategy(homes[next(self._turns) % len(homes)], soft=True)
        actor = self._actor.options(num_cpus=0, memory=0, scheduling_strategy=place, **FIXED)
        return RayPartner(actor.remote(), talker)

    def listen(
        self, partners: list[RayPartner], seconds: float
    ) -> list[tuple[RayPartner, list[Any]]]:
        """Return what actors have said; see `Partners.listen`."""
        by_answer = {partner.answer: partner for partner in partners}
        ready, waiting = ray_module().wait([*by_answer], num_returns=1, timeout=seconds)
        if waiting and ready:
            more, _ = ray_module().wait(waiting, num_returns=len(waiting), timeout=0)
            ready += more
        return [(by_answer[answer], by_answer[answer].said()) for answer in ready]
