"""Files worked on in processes of their own, which a file may end.

Whatever a decoder does with a file (crash, run for minutes, fill the memory), it does it there;
here an error comes of it, and the next file gets a new process. Between the processes go JSON and
bytes alone: nothing that a file has made of its process is unpickled here.
"""

import asyncio
import errno
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Final, NamedTuple, Protocol, Self

from webemo_curate.errors import CurateError
from webemo_curate.imaging.decode_errors import DecodeError, NotAnImageError
from webemo_curate.imaging.guard import guard_process, name_of
from webemo_curate.own_faults import OwnFaultError
from webemo_curate.runner.local_runner import usable_cores
from webemo_curate.runner.messages import Died, Failed, failure
from webemo_curate.runner.worker_process import WorkerProcess
from webemo_curate.system_faults import has_working_memory, lacking, raise_file_limit
from webemo_curate.verdicts import DecodeStatus

MOST_PROCESSES: Final = 8
"""A photo takes a millisecond: these keep up with any network."""

LARGE_BYTES: Final = 256 * 1024
"""A larger file is handed over by a thread: its way through the pipe takes milliseconds."""

TRIES: Final = 2
"""Processes that a file may end before that is what is said of it."""

LENGTH_BYTES: Final = 4
"""Before the JSON of a message stands its length; the bytes follow it."""

Facts = dict[str, Any]
"""What JSON can say."""


class Made(NamedTuple):
    """What came of a file.

    Attributes
    ----------
    facts
        What is said of it.
    content
        What was made of it.
    """

    facts: Facts
    content: bytes = b""


class PictureTask(Protocol):
    """What is done with files: equal ones share processes. Pickled to them."""

    @property
    def seconds(self) -> float:
        """Processor time for one file."""

    def __call__(self, content: bytes, details: Facts, /) -> Made:
        """Work on a file; may raise a `DecodeError`."""

    def __hash__(self) -> int:
        """Return the same for equal ones."""


_RESTING: dict[PictureTask, list[WorkerProcess]] = {}
"""Processes that who asks next for the same task takes over, for starting one takes half a second;
they end with this process."""

Message = Made | DecodeError | OwnFaultError | Failed | Died


class Apart:
    """Has files worked on in other processes, several at once if asked by several tasks or threads.

    Parameters
    ----------
    task : PictureTask
        What is done with them.
    rest : int, default 1
        Processes that are kept for who asks next for the same.
    """

    def __init__(self, task: PictureTask, rest: int = 1) -> None:
        self._task, self._rest = task, rest
        self._idle = _RESTING.pop(task, [])
        self._free = asyncio.Semaphore(processes())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        resting = _RESTING.setdefault(self._task, [])
        while self._idle:
            process = self._idle.pop()
            if len(resting) < self._rest:
                resting.append(process)
            else:
                process.kill()

    def ask(self, content: bytes, **details: Any) -> Made:
        """Have a file worked on, and wait for it.

        Parameters
        ----------
        content : bytes
            The file.
        **details
            What the task takes besides: what JSON can say.

        Returns
        -------
        Made
            What the task returns.

        Raises
        ------
        DecodeError, OwnFaultError
            Of the task's own; `too_large` if the file takes too long, `crashed` if it ends its
            processes.
        CurateError
            If the machine lacks what it takes.
        """
        request = _packed(details, content)
        for _ in range(TRIES):
            with self._lent() as loan:
                if loan.new:
                    _check_ready(loan.process.receive_bytes())
                _send(loan.process, request)
                loan.answer = message = _unpacked(loan.process.receive_bytes())
            if _is_final(message):
                break
        return _concluded(message)

    async def ask_aside(self, content: bytes, **details: Any) -> Made:
        """Have a file worked on without holding up the event loop; see `ask`."""
        async with self._free:
            request = _packed(details, content)  # a copy: of those being looked at alone
            for _ in range(TRIES):
                message = await self._try(request)
                if _is_final(message):
                    break
        return _concluded(message)

    async def _try(self, request: bytes) -> Message:
        with self._lent() as loan:
            if loan.new:
                _check_ready(await _hear(loan.process))
            if len(request) < LARGE_BYTES:
                _send(loan.process, request)
            else:
                await asyncio.to_thread(_send, loan.process, request)
            loan.answer = _unpacked(await _hear(loan.process))
        return loan.answer

    @contextmanager
    def _lent(self) -> Iterator["_Loan"]:
        """Lend a process; it is kept if it has answered, and ended otherwise."""
        try:
            loan = _Loan(self._idle.pop(), False)
        except IndexError:
            loan = _Loan(WorkerProcess(self._task, _serve))
        try:
            yield loan
        finally:
            if isinstance(loan.answer, Made | DecodeError | OwnFaultError):
                self._idle.append(loan.process)
            else:
                loan.process.kill()


@dataclass
class _Loan:
    process: WorkerProcess
    new: bool = True
    answer: Message | None = None


def processes() -> int:
    """Return how many processes work at once: two at least, so that a slow file stops no others."""
    return min(MOST_PROCESSES, max(2, usable_cores()))


def _serve(connection: Connection, task: PictureTask) -> None:
    """Run in the child: answer files until the pipe closes."""
    raise_file_limit()
    guard_process(task.seconds)
    connection.send_bytes(_packed({}))
    while True:
        connection.send_bytes(_answered(task, connection.recv_bytes()))


def _answered(task: PictureTask, request: bytes) -> bytes:
    details, content = _parts(request)
    try:
        return _packed(*task(content, details))
    except DecodeError as error:
        not_image = isinstance(error, NotAnImageError)
        said = {"status": error.status, "reason": str(error), "not_image": not_image}
        return _packed({"refused": said})
    except OwnFaultError as fault:
        return _packed({"own_fault": [fault.what, name_of(content)]})
    except Exception as error:
        return _packed({"failed": asdict(failure(error))})


def _packed(facts: Facts, content: bytes = b"") -> bytes:
    head = json.dumps(facts).encode()
    return b"".join((len(head).to_bytes(LENGTH_BYTES), head, content))


def _parts(message: bytes) -> Made:
    end = LENGTH_BYTES + int.from_bytes(message[:LENGTH_BYTES])
    return Made(json.loads(message[LENGTH_BYTES:end]), message[end:])


def _unpacked(message: bytes | Died) -> Message:
    if isinstance(message, Died):
        return message
    answer = _parts(message)
    if "failed" in answer.facts:
        return Failed(**answer.facts["failed"])
    if "own_fault" in answer.facts:
        return OwnFaultError(*answer.facts["own_fault"])
    if "refused" not in answer.facts:
        return answer
    said = answer.facts["refused"]
    error = DecodeError(DecodeStatus(said["status"]), said["reason"])
    return NotAnImageError.of_reason(said["reason"]) if said["not_image"] else error


def _send(process: WorkerProcess, request: bytes) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):  # a dead process shows at its answer
        process.connection.send_bytes(request)


async def _hear(process: WorkerProcess) -> bytes | Died:
    """Wait for what a process sends next while others use the loop."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    number = process.connection.fileno()
    loop.add_reader(number, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(number)
    return process.receive_bytes()


def _is_final(message: Message) -> bool:
    """Tell whether another process would answer the same."""
    return not isinstance(message, Died) or message.out_of_time


def _concluded(message: Message) -> Made:
    if isinstance(message, Made):
        return message
    if isinstance(message, Failed):
        raise message.as_error("decoding a picture")
    raise _ended(message) if isinstance(message, Died) else message


def _ended(death: Died) -> DecodeError:
    """Return what is said of a file that ended its processes."""
    if death.out_of_time:
        reason = "takes more processor time than a picture may"
        return DecodeError(DecodeStatus.TOO_LARGE, reason)
    if death.killed and not has_working_memory():
        raise lacking(errno.ENOMEM)  # the system's choice of whom to end is no verdict
    name = f" ({signal.Signals(death.signal).name})" if death.signal else ""
    return DecodeError(DecodeStatus.CRASHED, f"the decoder crashed{name}")


def _check_ready(message: bytes | Died) -> None:
    if isinstance(message, Died):
        reason = "a process that decodes pictures cannot be started; is there enough memory?"
        raise CurateError(reason)
