"""Files of strangers, examined in processes of their own, which a file may end.

Whatever a decoder does with a file (crash, run for minutes, fill the memory), it does it there;
here a finding comes of it, and the next file gets a new process.
"""

import asyncio
import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Self

import pyarrow as pa

from webemo_curate.config import BOUNDS
from webemo_curate.errors import CurateError
from webemo_curate.imaging.decode_errors import DecodeError, NotAnImageError
from webemo_curate.imaging.guard import guard_process
from webemo_curate.imaging.reading import check_body, choose_frame
from webemo_curate.own_faults import OwnFaultError
from webemo_curate.runner.messages import Died, Done, Failed, Message, from_ipc
from webemo_curate.runner.worker_process import WorkerProcess
from webemo_curate.system_faults import has_working_memory, lacking
from webemo_curate.verdicts import DecodeStatus, FetchStatus

MOST_PROCESSES = 8
"""Examining takes a millisecond of a photo: these keep up with any network."""

LARGE_BYTES = 256 * 1024
"""A larger file is handed over by a thread: its way through the pipe takes milliseconds."""

TRIES = 2
"""Processes that a file may end before that is its finding."""

FILES = pa.schema([("content", pa.binary())])
FINDINGS = pa.schema(
    [
        ("status", pa.string()),
        ("reason", pa.string()),
        ("suffix", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
    ]
)


_RESTING: dict["ExamineWorker", WorkerProcess] = {}
"""A process that the next examiner of the same kind takes over, for starting one takes half a
second; it ends with this process."""


class Finding(NamedTuple):
    """What a file was found to be.

    Attributes
    ----------
    status
        `ok`, `not_image`, `corrupt`, `too_large` or `internal_error`.
    reason
        What is wrong; None if nothing is.
    suffix
        By content, if the status is `ok`.
    width, height
        Of the picture that the file stands for, if these were asked for.
    """

    status: FetchStatus
    reason: str | None = None
    suffix: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class ExamineWorker:
    """Examines files; see `runner.job.Worker`.

    Attributes
    ----------
    max_pixels
        Largest width times height that is decoded.
    measure
        Whether the picture is decoded in full, and its size told; else it is only read to its end.
    seconds
        Processor time for one file.
    """

    max_pixels: int
    measure: bool = False
    seconds: float = BOUNDS.seconds

    @property
    def output_schema(self) -> pa.Schema:
        """The fields of a `Finding`."""
        return FINDINGS

    def setup(self) -> None:
        """Let the process end for a file that takes too long."""
        guard_process(self.seconds)

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Examine the files of a batch (schema `FILES`)."""
        found = [self._examine(content.as_py()) for content in batch["content"]]
        rows = [finding._asdict() for finding in found]
        return pa.RecordBatch.from_pylist(rows, schema=FINDINGS)

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the findings of files that ended their process."""
        rows = [_ended(Died())._asdict()] * batch.num_rows
        return pa.RecordBatch.from_pylist(rows, schema=FINDINGS)

    def _examine(self, content: bytes) -> Finding:
        try:
            if not self.measure:
                return Finding(FetchStatus.OK, suffix=check_body(content, self.max_pixels))
            frame = choose_frame(content, self.max_pixels)
            return Finding(FetchStatus.OK, None, frame.format.suffix, *frame.picture.size)
        except NotAnImageError as error:
            return Finding(FetchStatus.NOT_IMAGE, str(error))
        except DecodeError as error:
            too_large = error.status is DecodeStatus.TOO_LARGE
            status = FetchStatus.TOO_LARGE if too_large else FetchStatus.CORRUPT
            return Finding(status, str(error))
        except OwnFaultError as fault:
            return Finding(FetchStatus.INTERNAL_ERROR, fault.what)


class Examiner:
    """Examines files in other processes, several at once if asked by several tasks.

    Parameters
    ----------
    worker : ExamineWorker
        How.
    """

    def __init__(self, worker: ExamineWorker) -> None:
        self._worker = worker
        rested = _RESTING.pop(worker, None)
        self._idle = [rested] if rested else []
        self._free = asyncio.Semaphore(_processes())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._idle and self._worker not in _RESTING:
            _RESTING[self._worker] = self._idle.pop()
        while self._idle:
            self._idle.pop().kill()

    async def examine(self, content: bytes) -> Finding:
        """Examine a file, without holding up the event loop.

        Parameters
        ----------
        content : bytes
            The file.

        Returns
        -------
        Finding
            Whatever the file does.

        Raises
        ------
        CurateError
            If the machine lacks what it takes.
        """
        async with self._free:
            for _ in range(TRIES):
                message = await self._try(content)
                if _is_final(message):
                    break
        return _concluded(message)

    def examine_now(self, content: bytes) -> Finding:
        """Examine a file, and wait for it; see `examine`."""
        for _ in range(TRIES):
            with self._lent() as loan:
                if loan.new:
                    _check_set_up(loan.process.receive())
                loan.process.send(_batch(content))
                loan.answer = message = loan.process.receive()
            if _is_final(message):
                break
        return _concluded(message)

    async def _try(self, content: bytes) -> Message:
        with self._lent() as loan:
            if loan.new:
                _check_set_up(await _hear(loan.process))
            if len(content) < LARGE_BYTES:
                loan.process.send(_batch(content))
            else:
                await asyncio.to_thread(loan.process.send, _batch(content))
            loan.answer = await _hear(loan.process)
        return loan.answer

    @contextmanager
    def _lent(self) -> Iterator["_Loan"]:
        """Lend a process; it is kept if it has answered, and ended otherwise."""
        loan = _Loan(self._idle.pop(), False) if self._idle else _Loan(WorkerProcess(self._worker))
        try:
            yield loan
        finally:
            if isinstance(loan.answer, Done):
                self._idle.append(loan.process)
            else:
                loan.process.kill()


@dataclass
class _Loan:
    process: WorkerProcess
    new: bool = True
    answer: Message | None = None


def _processes() -> int:
    """Return how many processes are kept: two at least, so that one slow file stops no others."""
    return min(MOST_PROCESSES, max(2, len(os.sched_getaffinity(0))))


async def _hear(process: WorkerProcess) -> Message:
    """Wait for a process's next message while others use the loop."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    number = process.connection.fileno()
    loop.add_reader(number, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(number)
    return process.receive()


def _batch(content: bytes) -> pa.RecordBatch:
    return pa.record_batch([pa.array([content], pa.binary())], schema=FILES)


def _is_final(message: Message) -> bool:
    """Tell whether another process would answer the same."""
    return not isinstance(message, Died) or message.out_of_time


def _concluded(message: Message) -> Finding:
    if isinstance(message, Failed):
        raise message.as_error("examining a picture")
    if isinstance(message, Done):
        (row,) = from_ipc(message.rows).to_pylist()
        return Finding(**row | {"status": FetchStatus(row["status"])})
    return _ended(message if isinstance(message, Died) else Died())


def _ended(death: Died) -> Finding:
    """Return what is found of a file that ended its processes."""
    if death.out_of_time:
        reason = "takes more processor time than a picture may"
        return Finding(FetchStatus.TOO_LARGE, reason)
    if death.killed and not has_working_memory():
        raise lacking(errno.ENOMEM)  # the system's choice of whom to end is no verdict
    name = f" ({signal.Signals(death.signal).name})" if death.signal else ""
    return Finding(FetchStatus.CORRUPT, f"the decoder crashed{name}")


def _check_set_up(message: Message) -> None:
    if isinstance(message, Failed):
        raise message.as_error("examining pictures")
    if isinstance(message, Died):
        reason = "a process that examines pictures cannot be started; is there enough memory?"
        raise CurateError(reason)
