"""The messages between driver and workers, and the worker's side of them."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from signal import SIGKILL, SIGPROF, SIGTERM
from typing import TypeVar

import pyarrow as pa

from webemo_curate.errors import CurateError, InputError
from webemo_curate.runner.job import Worker
from webemo_curate.system_faults import SystemFaultError, raise_file_limit, raise_system_fault

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Parallelism comes from processes: additional threads of libraries would compete for the cores."""


@dataclass(frozen=True)
class Ready:
    """The worker is set up."""


@dataclass(frozen=True)
class Done:
    """A finished batch; `rows` is an Arrow IPC stream."""

    rows: bytes


@dataclass(frozen=True)
class Advanced:
    """The number of rows of the present batch that are done; the batch is still under way."""

    rows: int


@dataclass(frozen=True)
class Failed:
    """An exception in the worker; `message` is set if it was a `CurateError`.

    `wrong_input` marks an `InputError`, which has another exit code; `lacking` marks a
    `SystemFaultError`.
    """

    message: str | None
    trace: str
    wrong_input: bool = False
    lacking: bool = False

    def as_error(self, job: str) -> CurateError:
        """Return an error of the same kind and text, for the driver to raise."""
        if self.lacking:
            return SystemFaultError(self.message)
        kind = InputError if self.wrong_input else CurateError
        return kind(self.message or f"{job} failed:\n{self.trace}")


@dataclass(frozen=True)
class Died:
    """The death of a worker; `innocent` if the rows it worked on cannot be the reason.

    `hint` names possible reasons other than a crash; `signal` is the number of the signal that
    ended it, 0 if unknown.
    """

    innocent: bool = False
    hint: str = ""
    signal: int = 0

    @property
    def killed(self) -> bool:
        """Whether it was killed from outside: by Linux for lack of memory, or by earlyoom."""
        return self.signal in (SIGKILL, SIGTERM)

    @property
    def out_of_time(self) -> bool:
        """Whether it ended itself for using too much processor time."""
        return self.signal == SIGPROF


AnswerT = TypeVar("AnswerT", Ready, Done)

Message = Ready | Advanced | Done | Failed | Died


def set_up(worker: Worker) -> Ready | Failed:
    """Set a worker up, in its process."""

    def ready() -> Ready:
        raise_file_limit()
        worker.setup()
        return Ready()

    return _attempt(ready)


def work(worker: Worker, batch: bytes) -> Done | Failed:
    """Let a worker process a serialized batch, in its process."""
    return _attempt(lambda: Done(to_ipc(worker.process(from_ipc(batch)))))


def to_ipc(batch: pa.RecordBatch) -> bytes:
    """Serialize a batch as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def from_ipc(content: bytes) -> pa.RecordBatch:
    """Read what `to_ipc` wrote."""
    with pa.ipc.open_stream(content) as reader:
        return reader.read_next_batch()


def failure(error: Exception) -> Failed:
    """Turn the worker's exception that is being handled into a message."""
    trace = traceback.format_exc()
    try:
        raise_system_fault(error)
    except SystemFaultError as fault:
        return Failed(str(fault), trace, lacking=True)
    message = str(error) if isinstance(error, CurateError) else None
    return Failed(message, trace, isinstance(error, InputError))


def _attempt(step: Callable[[], AnswerT]) -> AnswerT | Failed:
    try:
        return step()
    except Exception as error:
        return failure(error)
