"""One worker process: how it is started, fed over a pipe, and how its death shows."""

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

import pyarrow as pa

from webemo_curate.engine.base import Worker
from webemo_curate.errors import CurateError

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Processes are the unit of parallelism: threads that libraries start besides would contend."""


@dataclass(frozen=True)
class Done:
    """A batch that was worked on; `rows` is an Arrow IPC stream."""

    rows: bytes


@dataclass(frozen=True)
class Failed:
    """An exception in the worker; `message` is set if it was a `CurateError`."""

    message: str | None
    trace: str


READY = "ready"


class WorkerProcess:
    """A process that holds one set-up worker.

    Parameters
    ----------
    worker : Worker
        Pickled to the process, set up there.
    """

    def __init__(self, worker: Worker) -> None:
        # 'spawn' gives the child no copy of our threads, locks and sockets.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, worker), daemon=True)
        with _environment(ONE_THREAD):
            self._process.start()
        theirs.close()

    def send(self, batch: pa.RecordBatch) -> None:
        """Hand over a batch; a dead worker shows at the next `receive`."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send_bytes(to_ipc(batch))

    def receive(self) -> Done | Failed | str | None:
        """Return the worker's next message; None if its process has died."""
        try:
            message: Done | Failed | str = self.connection.recv()
        except (EOFError, ConnectionResetError):
            return None
        return message

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join()
        self.connection.close()


def to_ipc(batch: pa.RecordBatch) -> bytes:
    """Serialise a batch as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def from_ipc(content: bytes) -> pa.RecordBatch:
    """Read back what `to_ipc` wrote."""
    with pa.ipc.open_stream(content) as reader:
        return reader.read_next_batch()


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(connection: Connection, worker: Worker) -> None:
    """Run in the child: set up, then answer batches until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to handle
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        worker.setup()
        connection.send(READY)
        while True:
            batch = from_ipc(connection.recv_bytes())
            connection.send(Done(to_ipc(worker.process(batch))))
    except (EOFError, BrokenPipeError):
        return  # the driver is gone
    except Exception as error:
        message = str(error) if isinstance(error, CurateError) else None
        connection.send(Failed(message, traceback.format_exc()))


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
