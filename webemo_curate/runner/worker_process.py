"""One worker process: start it, feed it over a pipe, and notice its death."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from types import ModuleType
from typing import Any, Final, TypeVar

import pyarrow as pa

from webemo_curate.errors import CurateError
from webemo_curate.remedies import named_workspace, working_in
from webemo_curate.runner.job import Staffed, Worker
from webemo_curate.runner.messages import (
    ONE_THREAD,
    Advanced,
    Died,
    Failed,
    Message,
    set_up,
    to_ipc,
    work,
)
from webemo_curate.runner.reporting import reporting_to
from webemo_curate.system_faults import GO_ON, SystemFaultError, check_open_files
from webemo_curate.temporary_folder import temporary_folder

DEATH_SECONDS = 10
"""Seconds allowed from the end of a process's pipe to the end of the process."""

SOCKET_PATH_BYTES = 103
"""Longest path of a socket, in bytes: macOS's; Linux allows 107. `multiprocessing` lays its socket
in a folder below the one for temporary files, which on clusters often has a long name."""

FILES_A_START: Final = 12
"""Files held open at most while a copied process starts: its pipe, the server's socket and what
`multiprocessing.forkserver` passes over it, and a first server's own pipes."""

ENDING_SECONDS: Final = 0.3
"""Until a server that was killed has ended: before, it counts as there, and refuses."""

STARTS: Final = 3
"""Starts of a process that may break off; after them the machine is at fault."""

HeardT = TypeVar("HeardT")

Serve = Callable[[Connection, Any], None]
"""Runs in the child: answers messages on a pipe with the object pickled to it, until the pipe
closes."""


class WorkerProcess:
    """A process that holds one worker.

    Parameters
    ----------
    worker : Worker
        Pickled to the process, and set up there.
    serve : callable, optional
        Main function of the process; by default it answers batches with messages.
    modules : sequence of str, optional
        What it loads, if others like it are started too: they are then copies of one process that
        has loaded this once, if the system can. The first start waits for that.
    """

    def __init__(
        self, worker: Any, serve: Serve | None = None, *, modules: Sequence[str] = ()
    ) -> None:
        # Neither way gives the child a copy of this process's threads, locks and sockets.
        copied = bool(modules) and _may_be_copied()
        context: Any = multiprocessing.get_context("forkserver" if copied else "spawn")
        if copied:  # the server is started with the first process, and loads what this one needs
            check_open_files(FILES_A_START)  # the server tells of a start that breaks off itself
            context.set_forkserver_preload([*modules])
        self.connection, theirs = context.Pipe()
        variables = {**os.environ, **ONE_THREAD}
        whole = (serve or serve_worker, theirs, worker, named_workspace(), variables)
        try:
            self._process = _started(context, whole, worker)
        finally:
            theirs.close()

    def send(self, batch: pa.RecordBatch) -> None:
        """Send a batch; the death of the worker is noticed at the next `receive`."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send_bytes(to_ipc(batch))

    def tell(self, message: object) -> None:
        """Send any message; the death of the worker is noticed at the next `receive`."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(message)

    def receive(self) -> Message:
        """Return the worker's next message, or the news of its death."""
        message: Message = self._hear(self.connection.recv)
        return message

    def receive_bytes(self) -> bytes | Died:
        """Return the next bytes that the process sends, or the news of its death."""
        return self._hear(self.connection.recv_bytes)

    def _hear(self, receive: Callable[[], HeardT]) -> HeardT | Died:
        try:
            return receive()
        except (EOFError, OSError):  # the pipe ended, between two messages or within one
            self._process.join(DEATH_SECONDS)
            return _death(self._process.exitcode or 0)

    def has_died(self) -> bool:
        """Return whether a process that was asked nothing has died: only then can it be heard."""
        return self.connection.poll()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join()
        self.connection.close()


def _started(context: Any, whole: tuple[Any, ...], worker: Any) -> Any:
    """Start a process; the server of copies, or the process itself, may be killed meanwhile."""
    # A process with child processes of its own may not be a daemon; its user ends it.
    daemon = not isinstance(worker, Staffed)
    for _ in range(STARTS):
        process = context.Process(target=_begin, args=whole, daemon=daemon)
        broken_off = suppress(EOFError, ConnectionError)
        with broken_off, environment(ONE_THREAD), _without_main(worker), _ctrl_c_held_back():
            process.start()
            return process
        time.sleep(ENDING_SECONDS)
    raise CurateError(f"a process dies as it starts; is there enough memory? If so, {GO_ON}")


def _may_be_copied() -> bool:
    """Return whether the socket at which copies are asked for has a place, and a short path."""
    try:
        listener = temporary_folder() / "pymp-12345678" / "listener-12345678"
    except SystemFaultError:
        return False
    return len(os.fsencode(listener)) <= SOCKET_PATH_BYTES


def _death(exit_code: int) -> Died:
    late = exit_code == -signal.SIGPROF
    return Died(hint=" after too much processor time" if late else "", signal=max(0, -exit_code))


@contextmanager
def _without_main(worker: Any) -> Iterator[None]:
    """Hide the caller's main module while the block runs, so that a child does not run it again.

    A script without a main guard would start the work again in every worker; standard input, a
    notebook's cell and `python -c` have no file to run. Only a worker defined in that module needs
    it.
    """
    main = sys.modules["__main__"]
    if type(worker).__module__ == "__main__":
        yield
        return
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Keep Ctrl-C from processes started in the block, and from this one until the block ends.

    The driver ends its workers. A start that Ctrl-C breaks off leaves a child that says that its
    pipe ended.
    """
    pressed: list[int] = []
    handler = signal.getsignal(signal.SIGINT)
    # Another thread may take the signal that this one blocks; the main thread still handles it.
    handled_here = callable(handler) and threading.current_thread() is threading.main_thread()
    if handled_here:
        signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    blocked_before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked_before)
        if handled_here:
            signal.signal(signal.SIGINT, handler)
        if pressed:
            signal.raise_signal(signal.SIGINT)


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Set environment variables while the block runs; processes started in it inherit them."""
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


def _begin(
    serve: Serve, connection: Connection, worker: Any, workspace: str, variables: dict[str, str]
) -> None:
    """Run in the child, until the driver is gone."""
    os.environ.clear()  # a copied process has the environment of the first
    os.environ.update(variables)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver handles Ctrl-C
    threading.Thread(target=_die_with_parent, daemon=True).start()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError), working_in(workspace):
        serve(connection, worker)


def serve_worker(connection: Connection, worker: Worker) -> None:
    """Run in the child: set up, then answer batches, reporting finished rows meanwhile."""
    with reporting_to(lambda rows: connection.send(Advanced(rows))):
        message: Message = set_up(worker)
        connection.send(message)
        while not isinstance(message, Failed):
            message = work(worker, connection.recv_bytes())
            connection.send(message)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
