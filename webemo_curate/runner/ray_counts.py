"""How far Ray's workers are within their batches: an actor that they tell, and the driver asks.

A worker's actor has one thread, its process's main one: signals that bound a picture's time reach
no other. So nobody can ask it meanwhile; it tells, and waits for no answer.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from webemo_curate.runner.ray_cluster import ray_module
from webemo_curate.runner.reporting import reporting_to

NEWS_SECONDS = 1.0
"""Between two reports of a worker, and two answers to the driver: a message a second of each."""

Told = dict[int, int]
"""Number of a batch -> its rows that are done."""


class _Counts:
    """The actor: adds up what workers tell until the driver asks."""

    def __init__(self) -> None:
        self._rows: Counter[int] = Counter()
        self._some = asyncio.Event()

    async def add(self, batch: int, rows: int) -> None:
        self._rows[batch] += rows
        self._some.set()

    async def taken(self) -> Told:
        """Return what was told since this was asked before, once there is some."""
        await self._some.wait()
        await asyncio.sleep(NEWS_SECONDS)
        told, self._rows = dict(self._rows), Counter()
        self._some.clear()
        return told


@dataclass(frozen=True)
class BatchCounts:
    """A worker's side: sent with a batch, tells of its rows.

    Attributes
    ----------
    actor
        The one that is told.
    batch
        The batch's number.
    """

    actor: Any
    batch: int

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Tell of the rows that are done while the block runs, without waiting for anything."""
        with reporting_to(lambda rows: self.actor.add.remote(self.batch, rows), NEWS_SECONDS):
            yield


class DriverCounts:
    """The driver's side: starts the actor, which takes no worker's place, and asks it."""

    def __init__(self) -> None:
        self._actor: Any = (
            ray_module().remote(_Counts).options(num_cpus=0, max_restarts=-1).remote()
        )
        self._batches = 0
        self._answer: Any = None

    def of_next_batch(self) -> BatchCounts:
        """Return what is sent with a batch; its number is that of no other."""
        self._batches += 1
        return BatchCounts(self._actor, self._batches)

    def ask(self) -> None:
        """Ask, unless an answer is awaited."""
        if self._answer is None:
            self._answer = self._actor.taken.remote()

    def awaited(self) -> list[Any]:
        """Return the answer to wait for, if there is one."""
        return [] if self._answer is None else [self._answer]

    def taken(self) -> Told:
        """Return the answer that has come, and ask again.

        An actor whose node has died is not asked again before a worker has answered: it is started
        anew by then, and what it knew is of no other use.
        """
        answer, self._answer = self._answer, None
        try:
            told: Told = ray_module().get(answer)
        except ray_module().exceptions.RayError:
            return {}
        self.ask()
        return told

    def close(self) -> None:
        """End the actor."""
        ray_module().kill(self._actor)
