"""Report how far Ray's workers are within their batches, through an actor between.

A worker's actor runs in the main thread of its process, because the signals that limit a picture's
time reach only the main thread. So nobody can query it during a batch; instead it reports, without
waiting for an answer.
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
"""Seconds between two reports of a worker, and between two answers to the driver."""

Told = dict[int, int]
"""Finished rows, by the number of the batch."""


class _Counts:
    """The actor: adds up the workers' reports until the driver asks."""

    def __init__(self) -> None:
        self._rows: Counter[int] = Counter()
        self._some = asyncio.Event()

    async def add(self, batch: int, rows: int) -> None:
        self._rows[batch] += rows
        self._some.set()

    async def taken(self) -> Told:
        """Return what was reported since the last call, as soon as there is something."""
        await self._some.wait()
        await asyncio.sleep(NEWS_SECONDS)
        told, self._rows = dict(self._rows), Counter()
        self._some.clear()
        return told


@dataclass(frozen=True)
class BatchCounts:
    """A worker's side: sent with a batch, reports its rows.

    Attributes
    ----------
    actor
        The actor that receives the reports.
    batch
        Number of the batch.
    """

    actor: Any
    batch: int

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Report finished rows while the block runs, without waiting for anything."""
        with reporting_to(lambda rows: self.actor.add.remote(self.batch, rows), NEWS_SECONDS):
            yield


class DriverCounts:
    """The driver's side: starts the actor, which takes no worker's place, and asks it.

    One serves all jobs of a runner, since a process takes seconds to start.
    """

    def __init__(self) -> None:
        self._actor: Any = (
            ray_module().remote(_Counts).options(num_cpus=0, max_restarts=-1).remote()
        )
        self._batches = 0
        self._answer: Any = None

    def of_next_batch(self) -> BatchCounts:
        """Return the object to send with a batch, with a new number."""
        self._batches += 1
        return BatchCounts(self._actor, self._batches)

    def ask(self) -> None:
        """Ask the actor, unless an answer is still awaited."""
        if self._answer is None:
            self._answer = self._actor.taken.remote()

    def awaited(self) -> list[Any]:
        """Return the awaited answer, if there is one."""
        return [] if self._answer is None else [self._answer]

    def taken(self) -> Told:
        """Return the answer that has arrived, and ask again.

        An actor whose node died is not asked again before a worker has answered. By then it has
        been restarted, and its earlier counts are no longer needed.
        """
        answer, self._answer = self._answer, None
        try:
            told: Told = ray_module().get(answer)
        except ray_module().exceptions.RayError:
            return {}
        self.ask()
        return told

    def close(self) -> None:
        """End the actor, unless its cluster was left already."""
        if ray_module().is_initialized():
            ray_module().kill(self._actor)
