"""The helper processes of one GPU, as a worker pool for the runner's scheduler."""

from enum import Enum, auto
from multiprocessing.connection import Connection, wait
from typing import Any

import pyarrow as pa

from webemo_curate.ocr.feeding.helper_process import Staff, serve_helper
from webemo_curate.ocr.feeding.network_server import NetworkServer
from webemo_curate.ocr.feeding.questions import Asked, Refused, Reply
from webemo_curate.runner.arena import Arena
from webemo_curate.runner.job import Worker
from webemo_curate.runner.messages import Advanced, Died, Failed, Message, Ready
from webemo_curate.runner.worker_process import WorkerProcess

ARENA_BYTES = 64 * 2**20
"""Bytes shared with each helper, for its images' canvases and, in the same place, their
heatmaps."""

LOOK_SECONDS = 0.0005
"""Seconds between two checks of a working GPU, while waiting for questions."""


class HelperState(Enum):
    """The state of a helper."""

    SETTING_UP = auto()
    AT_REST = auto()
    AT_WORK = auto()
    GONE = auto()


class Helper:
    """A helper process; see `scheduler.WorkerHandle`.

    Parameters
    ----------
    worker : Worker
        The worker it runs.
    crew : Crew
        The crew to which it returns when it is released unharmed.
    """

    def __init__(self, worker: Worker, crew: "Crew") -> None:
        self.arena = Arena(ARENA_BYTES)
        self.state = HelperState.SETTING_UP
        self._process = WorkerProcess(Staff(worker, self.arena), serve_helper)
        self._crew = crew

    @property
    def connection(self) -> Connection:
        """The pipe to the helper."""
        return self._process.connection

    def send(self, batch: pa.RecordBatch) -> None:
        """Send a batch; see `scheduler.WorkerHandle`."""
        self.state = HelperState.AT_WORK
        self._process.send(batch)

    def receive(self) -> Any:
        """Return its next message, or its question to the networks."""
        message: Message | Asked = self._process.receive()
        if isinstance(message, Died | Failed):
            self.state = HelperState.GONE
        elif not isinstance(message, Asked | Advanced):
            self.state = HelperState.AT_REST
        return message

    def answer(self, message: Reply | Refused) -> None:
        """Send an answer; see `network_server.AskingProcess`."""
        self._process.tell(message)

    def has_died(self) -> bool:
        """Return whether it died at rest; see `scheduler.WorkerHandle`."""
        return self._process.has_died()

    def kill(self) -> None:
        """End its process, unless the next job can use it."""
        if self.state in (HelperState.SETTING_UP, HelperState.AT_REST):
            self._crew.rest(self)
        else:
            self.end()

    def end(self) -> None:
        """End its process at once."""
        self._process.kill()
        self.arena.close()


class Crew:
    """The helpers, and the networks that this process runs for them; see `scheduler.WorkerPool`.

    Parameters
    ----------
    worker : Worker
        The worker that every helper runs.
    size : int
        Number of helpers.
    server : NetworkServer
        The networks.
    """

    def __init__(self, worker: Worker, size: int) -> None:
        self.size = size
        self._worker = worker
        self._resting: list[Helper] = []
        self._ready: list[Helper] = []
        self._server: NetworkServer | None = None
        self._resting = [Helper(worker, self) for _ in range(size)]

    def serve(self, server: NetworkServer) -> None:
        """Let helpers use these networks."""
        self._server = server

    def start_worker(self) -> Helper:
        """Start a helper, or return one that is idle; see `scheduler.WorkerPool`."""
        while self._resting:
            helper = self._resting.pop(0)
            if helper.state is HelperState.SETTING_UP:
                return helper
            if not helper.has_died():
                self._ready.append(helper)
                return helper
            helper.end()
        return Helper(self._worker, self)

    def rest(self, helper: Helper) -> None:
        """Take back a helper that no job needs now."""
        self._resting.append(helper)

    def listen(self, workers: list[Helper]) -> list[tuple[Helper, Message]]:
        """Run networks until helpers have messages; see `scheduler.WorkerPool`."""
        assert self._server is not None, "serve() comes first"  # noqa: S101
        found: list[tuple[Helper, Message]] = [(helper, Ready()) for helper in self._ready]
        workers = [worker for worker in workers if worker not in self._ready]  # one message each
        self._ready.clear()
        wait_seconds: float | None = 0.0 if found or self._server.is_busy else None
        while True:
            found += self._heard(self._server, workers, wait_seconds)
            hurry = self._server.askers >= len(workers)
            did = self._server.is_busy and self._server.advance(hurry=hurry)
            if found:
                return found
            wait_seconds = 0.0 if did else LOOK_SECONDS if self._server.is_busy else None

    def close(self) -> None:
        """End every idle helper."""
        for helper in self._resting:
            helper.end()
        self._resting.clear()

    def _heard(
        self, server: NetworkServer, workers: list[Helper], seconds: float | None
    ) -> list[tuple[Helper, Message]]:
        """Return messages, after passing questions on to the networks."""
        ready = set(wait([worker.connection for worker in workers], seconds))
        found = []
        for worker in [each for each in workers if each.connection in ready]:
            message = worker.receive()
            if isinstance(message, Asked):
                server.take(worker, message)
                continue
            if isinstance(message, Died | Failed):
                server.forget(worker)
            found.append((worker, message))
        return found
