"""Processes that exchange messages with their driver for as long as a work lasts.

A `Job` hands out rows and gets rows back. Some work is not of that kind: its processes must tell
one another things meanwhile. Each holds a conversation with the driver, which passes messages on.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol, TypeVar

from webemo_curate.runner.messages import Died, Failed, failure
from webemo_curate.runner.patient_loop import PatientLoop
from webemo_curate.runner.worker_process import WorkerProcess
from webemo_curate.system_faults import raise_file_limit

ResultT = TypeVar("ResultT")

Say = Callable[[object], None]
"""Sends a message without waiting for the other side to read it."""


class Talker(Protocol):
    """The side of a conversation that works; pickled to a process of its own.

    It may have helper processes, as a `runner.job.Staffed` has.
    """

    def staffed(self, processes: int) -> "Talker":
        """Return the talker with this many helper processes, at least one."""

    async def converse(self, heard: "asyncio.Queue[Any]", say: Say) -> None:
        """Work until a message says that it is over; raise a `CurateError` if it cannot go on."""


class Partner(Protocol):
    """The driver's side of one conversation."""

    def tell(self, message: object) -> None:
        """Send a message; the death of the process is noticed when it is listened to."""

    def kill(self) -> None:
        """End the process at once."""


class Partners(Protocol):
    """Where talkers run, in which alone the runners differ."""

    @property
    def size(self) -> int:
        """Most processes at once."""

    def start(self, talker: Talker) -> Partner:
        """Start a process; what it says first shows that it lives."""

    def restart(self, talker: Talker) -> Partner:
        """Start a process in place of one that died, even if its room is gone with it."""

    def listen(self, partners: list[Any], seconds: float) -> list[tuple[Any, list[Any]]]:
        """Return what partners have said, in order, or a `Died`; wait at most so many seconds."""


class LocalPartners:
    """Processes on this machine; see `Partners`.

    Parameters
    ----------
    size : int
        Most processes at once.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def start(self, talker: Talker) -> WorkerProcess:
        """Start a process; see `Partners.start`."""
        modules = (type(talker).__module__,)
        return WorkerProcess(talker, serve_talker, modules=modules)

    def restart(self, talker: Talker) -> WorkerProcess:
        """Start a process in place of one that died; see `Partners.restart`."""
        return self.start(talker)

    def listen(
        self, partners: list[WorkerProcess], seconds: float
    ) -> list[tuple[WorkerProcess, list[Any]]]:
        """Return what partners have said; see `Partners.listen`."""
        ready = set(wait([partner.connection for partner in partners], seconds))
        heard = []
        for partner in partners:
            if partner.connection in ready:
                said: Any = partner.receive()
                heard.append((partner, [said] if isinstance(said, Died) else said))
        return heard


def serve_talker(connection: Connection, talker: Talker) -> None:
    """Run in the child: converse with the driver over a pipe."""
    raise_file_limit()
    outgoing = _Outgoing(connection)
    try:
        run_to_end(_converse(connection, talker, outgoing.say))
    except EOFError:  # the driver is gone
        return
    except Exception as error:
        outgoing.say(failure(error))
    outgoing.close()


def run_to_end(
    work: Coroutine[Any, Any, ResultT], loop: asyncio.AbstractEventLoop | None = None
) -> ResultT:
    """Run a coroutine on an event loop of its own, whose clock counts no delay of the loop itself.

    Parameters
    ----------
    work : coroutine
        May hold task groups.
    loop : asyncio.AbstractEventLoop, optional
        The loop, by default a new `PatientLoop`; it is closed in the end.

    Returns
    -------
    object
        What it returns.

    Raises
    ------
    BaseException
        Of a group of errors the first one: a failed task has stopped all others, so its error is
        the one to report. The error of a callback of the loop ends the work too.
    """
    try:
        with asyncio.Runner(loop_factory=lambda: loop or PatientLoop()) as runner:
            return runner.run(until_a_callback_fails(work))
    except BaseExceptionGroup as group:
        raise first_error(group) from None


async def until_a_callback_fails(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Await work, and stop it where a callback of its loop fails: it could wait for it for ever.

    Parameters
    ----------
    work : coroutine
        The only work on the loop.

    Returns
    -------
    object
        What it returns.

    Raises
    ------
    BaseException
        The first error of a callback, or that of the work.
    """
    task, errors = asyncio.current_task(), list[BaseException]()

    def fail(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if task is None or error is None or "handle" not in context:
            loop.default_exception_handler(context)
            return
        errors.append(error)
        task.cancel()

    asyncio.get_running_loop().set_exception_handler(fail)
    try:
        return await work
    finally:
        if errors:
            raise errors[0]


def first_error(error: Any) -> Any:
    """Return the first error of a group of errors, or of groups of groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _converse(connection: Connection, talker: Talker, say: Say) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    loop, gone = asyncio.get_running_loop(), asyncio.Event()

    def read() -> None:
        try:
            if connection.poll():  # one at a time: what it says is worked on meanwhile
                heard.put_nowait(connection.recv())
        except (EOFError, OSError):
            loop.remove_reader(connection.fileno())
            gone.set()

    loop.add_reader(connection.fileno(), read)
    talking = asyncio.create_task(talker.converse(heard, say))
    lonely = asyncio.create_task(gone.wait())
    try:
        await asyncio.wait([talking, lonely], return_when=asyncio.FIRST_COMPLETED)
        if not talking.done():
            raise EOFError("the driver is gone")
        talking.result()
    finally:
        loop.remove_reader(connection.fileno())
        for task in (talking, lonely):
            task.cancel()
        with suppress(BaseException):
            await talking


class _Outgoing:
    """Sends messages from a thread, because the driver may be busy sending to this process.

    Messages that gather meanwhile go together: the driver always gets lists.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._send, name="saying", daemon=True)
        self._thread.start()

    def say(self, message: object) -> None:
        self._waiting.put(message)

    def close(self) -> None:
        """Wait until everything is sent."""
        self._waiting.put(_END)
        self._thread.join()

    def _send(self) -> None:
        with suppress(OSError):  # the driver is gone
            try:
                self._send_all()
            except OSError:
                raise
            except Exception as error:  # or the driver would wait for ever
                self._connection.send([failure(error)])

    def _send_all(self) -> None:
        while True:
            messages = [self._waiting.get()]
            while not self._waiting.empty():
                messages.append(self._waiting.get())
            if kept := [message for message in messages if message is not _END]:
                self._connection.send(kept)
            if len(kept) < len(messages):
                return


_END = object()


def died_or_failed(message: object, name: str) -> bool:
    """Return whether a message says that its process has died; raise if it says why it gave up.

    Parameters
    ----------
    message : object
        A message of `Partners.listen`.
    name : str
        Name of the work, for the error.

    Raises
    ------
    CurateError
        The error for which the process gave up.
    """
    if isinstance(message, Failed):
        raise message.as_error(name)
    return isinstance(message, Died)
