"""Work on files in child processes, which a file may crash.

Whatever a decoder does with a file (crash, run for minutes, fill the memory), it happens in a child
process. Here it becomes an error, and the next file gets a new process. Only JSON and bytes pass
between the processes: nothing from a process that a file may have taken over is unpickled here.
"""

import asyncio
import errno
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from webemo_curate.errors import CurateError
from webemo_curate.imaging.decode_errors import DecodeError
from webemo_curate.imaging.picture_process import (
    SHARED_BYTES,
    Facts,
    Made,
    Message,
    PictureProcess,
    PictureTask,
)
from webemo_curate.machine import usable_cores
from webemo_curate.own_faults import OwnFaultError
from webemo_curate.runner.messages import Died, Failed
from webemo_curate.system_faults import has_working_memory, lacking
from webemo_curate.verdicts import DecodeStatus

MAX_PROCESSES: Final = 8
"""Most processes. A photo takes a millisecond, so these keep up with any network."""

TRIES: Final = 2
"""Processes that a file may crash before it is reported as `crashed`."""

_RESTING: dict[PictureTask, list[PictureProcess]] = {}
"""Idle processes by task, for the next caller of an equal task, because starting one takes half a
second. They end with this process."""


class Apart:
    """Runs a task on files in child processes, several at once if several tasks or threads ask.

    Parameters
    ----------
    task : PictureTask
        The work on a file.
    rest : int, default 1
        Idle processes kept for the next caller of an equal task.
    """

    def __init__(self, task: PictureTask, rest: int = 1) -> None:
        self._task, self._rest = task, rest
        self._idle = _RESTING.pop(task, [])
        self._free = asyncio.Semaphore(processes())  # tasks of an event loop wait here

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
        """Run the task on a file, and wait for the result.

        Parameters
        ----------
        content : bytes
            The file.
        **details
            Further arguments of the task, of types that JSON can hold.

        Returns
        -------
        Made
            What the task returns.

        Raises
        ------
        DecodeError, OwnFaultError
            As the task raises them; `too_large` if the file takes too long, `crashed` if it crashes
            its processes.
        CurateError
            If the machine lacks what the work needs.
        """
        return self._ask(content, details)

    def fill(self, into: NDArray[np.uint8], content: bytes, **details: Any) -> None:
        """Run the task on a file, and lay the bytes that it makes in an array; see `ask`.

        Parameters
        ----------
        into : ndarray of uint8
            Contiguous, of as many bytes as the task makes.
        content : bytes
            The file.
        **details
            Further arguments of the task.
        """
        self._ask(content, details, into)

    def _ask(self, content: bytes, details: Facts, into: NDArray[np.uint8] | None = None) -> Made:
        for _ in range(TRIES):
            with self._lent() as loan:
                if loan.new:
                    check_ready(loan.process.receive())
                loan.process.send(details, content)
                loan.answer = message = loan.process.receive(into)
            if is_final(message):
                break
        return concluded(message)

    async def ask_aside(self, content: bytes, **details: Any) -> Made:
        """Run the task on a file without blocking the event loop; see `ask`."""
        async with self._free:
            for _ in range(TRIES):
                message = await self._try(content, details)
                if is_final(message):
                    break
        return concluded(message)

    async def _try(self, content: bytes, details: Facts) -> Message:
        with self._lent() as loan:
            if loan.new:
                check_ready(await _hear(loan.process))
            if len(content) <= SHARED_BYTES:
                loan.process.send(details, content)
            else:  # writing it to the pipe takes milliseconds
                await asyncio.to_thread(loan.process.send, details, content)
            loan.answer = await _hear(loan.process)
        return loan.answer

    def _waiting(self) -> PictureProcess | None:
        """Take a process that waits; one that died meanwhile is no file's fault."""
        with suppress(IndexError):  # another thread may take the last
            while (process := self._idle.pop()).has_died():
                process.kill()
            return process
        return None

    @contextmanager
    def _lent(self) -> Iterator["_Loan"]:
        """Lend a process; afterwards it is kept if it has answered, else ended."""
        waiting = self._waiting()
        loan = _Loan(waiting or PictureProcess(self._task), waiting is None)
        try:
            yield loan
        finally:
            if isinstance(loan.answer, Made | DecodeError | OwnFaultError):
                self._idle.append(loan.process)
            else:
                loan.process.kill()


@dataclass
class _Loan:
    process: PictureProcess
    new: bool = True
    answer: Message | None = None


def processes() -> int:
    """Return how many processes work at once: at least two, so one slow file blocks nothing."""
    return min(MAX_PROCESSES, max(2, usable_cores()))


async def _hear(process: PictureProcess) -> Message:
    """Wait for a process's next message without blocking the event loop."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(process, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(process)
    return process.receive()


def is_final(message: Message) -> bool:
    """Return whether another process would give the same answer."""
    return not isinstance(message, Died) or message.out_of_time


def concluded(message: Message) -> Made:
    """Return what a process made of a file, or raise what its message says."""
    if isinstance(message, Made):
        return message
    if isinstance(message, Failed):
        raise message.as_error("decoding a picture")
    raise _ended(message) if isinstance(message, Died) else message


def _ended(death: Died) -> DecodeError:
    """Return the error of a file that crashed its processes."""
    if death.out_of_time:
        reason = "takes more processor time than a picture may"
        return DecodeError(DecodeStatus.TOO_LARGE, reason)
    if death.killed and not has_working_memory():
        raise lacking(errno.ENOMEM)  # killed for lack of memory: no verdict on the file
    name = f" ({signal.Signals(death.signal).name})" if death.signal else ""
    return DecodeError(DecodeStatus.CRASHED, f"the decoder crashed{name}")


def check_ready(message: Message) -> None:
    """Raise if a process has died instead of saying that it is ready."""
    if isinstance(message, Died):
        reason = "a process that decodes pictures cannot be started; is there enough memory?"
        raise CurateError(reason)
