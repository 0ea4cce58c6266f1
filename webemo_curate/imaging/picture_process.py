"""One child process that works on files; only JSON and bytes pass between it and this process."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from webemo_curate.imaging.decode_errors import DecodeError, NotAnImageError
from webemo_curate.imaging.freed import keep_freed
from webemo_curate.imaging.guard import guard_process, name_of
from webemo_curate.own_faults import OwnFaultError
from webemo_curate.runner.arena import Arena
from webemo_curate.runner.messages import Died, Failed, failure
from webemo_curate.runner.worker_process import WorkerProcess
from webemo_curate.system_faults import raise_file_limit
from webemo_curate.verdicts import DecodeStatus

LENGTH_BYTES: Final = 4
"""The length of a message's JSON stands before it; the bytes follow it."""

SHARED_BYTES: Final = 4 * 2**20
"""Memory that a process shares with this one for files and answers: a square of 1,024 pixels and
more. Pages that neither reaches take no memory."""

SHARED_FROM: Final = 32 * 2**10
"""Bytes from which files or an answer are laid there, because a pipe passes them on in pieces. What
does not fit goes through the pipe."""

SIZES: Final = "sizes"
"""Key of the sizes of several files in one message."""

ANSWERS: Final = "answers"
"""Key of the facts about each of them."""

SHARED: Final = "shared"
"""Key of the number of bytes that lie there."""

Facts = dict[str, Any]
"""Values that JSON can hold."""


class Made(NamedTuple):
    """The result of a task.

    Attributes
    ----------
    facts
        JSON values about the file.
    content
        Bytes made from the file.
    """

    facts: Facts
    content: bytes = b""


class PictureTask(Protocol):
    """The work on a file; equal tasks share processes. Tasks are pickled to these."""

    @property
    def seconds(self) -> float:
        """Processor seconds allowed for one file."""

    def __call__(self, content: bytes, details: Facts, /) -> Made:
        """Work on a file; may raise a `DecodeError`."""

    def __hash__(self) -> int:
        """Return equal hashes for equal tasks."""


Message = Made | DecodeError | OwnFaultError | Failed | Died


@dataclass(frozen=True)
class _Given:
    """What a process receives at its start."""

    task: PictureTask
    arena: Arena


class PictureProcess:
    """A process that runs a task on one file after another.

    Parameters
    ----------
    task : PictureTask
        The work on a file.
    """

    def __init__(self, task: PictureTask) -> None:
        self._arena = Arena(SHARED_BYTES)
        modules = (__name__, type(task).__module__)
        self._process = WorkerProcess(_Given(task, self._arena), _serve, modules=modules)

    def fileno(self) -> int:
        """Return the number of the pipe, which can be read when there is a message."""
        return self._process.connection.fileno()

    def send(self, details: Facts, *contents: bytes) -> None:
        """Send files; the death of the process is noticed when the answer is read.

        Parameters
        ----------
        details : dict
            JSON values; with `SIZES` the files are answered one by one.
        *contents : bytes
            The files.
        """
        request = _message(_shared(self._arena), details, b"".join(contents))
        with suppress(BrokenPipeError, ConnectionResetError):
            self._process.connection.send_bytes(request)

    def receive(self, into: NDArray[np.uint8] | None = None) -> Message:
        """Wait for the next message, or the news of the process's death.

        Parameters
        ----------
        into : ndarray of uint8, optional
            Receives the bytes that were made, which must be as many; contiguous.

        Returns
        -------
        Message
            Without the bytes if they are in `into`.
        """
        message = self._process.receive_bytes()
        if isinstance(message, Died):
            return message
        facts, content = parts(message)
        made = np.frombuffer(content, np.uint8)
        if SHARED in facts:
            made = _shared(self._arena)[: facts.pop(SHARED)]
        answer = understood(Made(facts))
        if not isinstance(answer, Made):
            return answer
        if into is None:
            return Made(facts, made.tobytes())
        into.reshape(-1)[:] = made
        return answer

    def has_died(self) -> bool:
        """Return whether it died while it waited for a file."""
        return self._process.has_died()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._arena.close()


def packed(facts: Facts, content: bytes = b"") -> bytes:
    """Return a message for a pipe."""
    head = json.dumps(facts).encode()
    return b"".join((len(head).to_bytes(LENGTH_BYTES), head, content))


def parts(message: bytes) -> Made:
    """Return what `packed` joined."""
    end = LENGTH_BYTES + int.from_bytes(message[:LENGTH_BYTES])
    return Made(json.loads(message[LENGTH_BYTES:end]), message[end:])


def understood_files(message: Message, count: int) -> list[Message]:
    """Return the answers about several files; nothing else is believed of a process.

    Parameters
    ----------
    message : Message
        The message of a process that was sent several files, or the news of its death.
    count : int
        How many they are.
    """
    answers = message.facts.get(ANSWERS) if isinstance(message, Made) else None
    if isinstance(answers, list) and len(answers) == count:
        return [understood(Made(dict(facts))) for facts in answers]
    raise ValueError("no answer about these files")


def answered(task: PictureTask, details: Facts, content: bytes) -> Made:
    """Run a task on a file, in its process; return what it made, or its error in JSON values.

    Of several files only the facts are returned.
    """
    if SIZES not in details:
        return _answered(task, details, content)
    answers, start = [], 0
    for size in details.pop(SIZES):
        answers.append(_answered(task, details, content[start : start + size]).facts)
        start += size
    return Made({ANSWERS: answers})


def _answered(task: PictureTask, details: Facts, content: bytes) -> Made:
    try:
        return task(content, details)
    except DecodeError as error:
        not_image = isinstance(error, NotAnImageError)
        said = {"status": error.status, "reason": str(error), "not_image": not_image}
        return Made({"refused": said})
    except OwnFaultError as fault:
        return Made({"own_fault": [fault.what, fault.place or name_of(content)]})
    except Exception as error:
        return Made({"failed": asdict(failure(error))})


def understood(answer: Made) -> Message:
    """Turn an error that `answered` has put into JSON values back into one."""
    if "failed" in answer.facts:
        return Failed(**answer.facts["failed"])
    if "own_fault" in answer.facts:
        return OwnFaultError(*answer.facts["own_fault"])
    if "refused" not in answer.facts:
        return answer
    said = answer.facts["refused"]
    error = DecodeError(DecodeStatus(said["status"]), said["reason"])
    return NotAnImageError.of_reason(said["reason"]) if said["not_image"] else error


def _serve(connection: Connection, given: _Given) -> None:
    """Run in the child: work on files until the pipe closes."""
    raise_file_limit()
    guard_process(given.task.seconds)
    keep_freed()
    connection.send_bytes(packed({}))
    memory = _shared(given.arena)
    while True:
        details, content = parts(connection.recv_bytes())
        if SHARED in details:
            content = memory[: details.pop(SHARED)].tobytes()
        facts, content = answered(given.task, details, content)
        connection.send_bytes(_message(memory, facts, content))


def _message(memory: NDArray[np.uint8], facts: Facts, content: bytes) -> bytes:
    """Return a message; shared memory takes its bytes unless they are few or too many."""
    if SHARED_FROM <= len(content) <= SHARED_BYTES:
        memory[: len(content)] = np.frombuffer(content, np.uint8)
        return packed(facts | {SHARED: len(content)})
    return packed(facts, content)


def _shared(arena: Arena) -> NDArray[np.uint8]:
    return arena.array(0, (arena.size,), "uint8")
