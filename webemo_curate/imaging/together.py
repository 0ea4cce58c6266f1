"""Run a task on files in child processes, several files a message, from an event loop.

A message between processes costs as much as reading a small picture, so files that wait go
together. A process is added only when those that there are cannot keep up.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from webemo_curate.errors import CurateError
from webemo_curate.imaging.apart import (
    TRIES,
    Apart,
    check_ready,
    concluded,
    is_final,
    processes,
)
from webemo_curate.imaging.picture_process import (
    SHARED_BYTES,
    SIZES,
    Made,
    Message,
    PictureProcess,
    PictureTask,
    understood_files,
)
from webemo_curate.runner.messages import Died, Failed

MOST_FILES: Final = 16
"""Most files that go together."""

MOST_BYTES: Final = 256 * 1024
"""Most bytes of files that go together; a larger file goes alone."""

BEHIND_SECONDS: Final = 0.5
"""Seconds for which files have waited for want of a process, those without such a wait taken off,
before another process is started: starting one takes about as long. One is started at a time."""


@dataclass(eq=False)
class _File:
    content: bytes
    answer: asyncio.Future[Message]
    tries: int = 0
    alone: bool = False
    """Whether it goes without others: one that went with it may have crashed their process."""


@dataclass(eq=False)
class _Parcel:
    """A process with the files that it works on, or will once it has begun."""

    process: PictureProcess
    files: list[_File]
    new: bool


class Together(Apart):
    """Runs a task, of which the facts matter alone, on files of many callers on one event loop.

    Parameters
    ----------
    task : PictureTask
        The work on a file.
    most : int, optional
        Most processes at once; by default as `apart.processes` says.
    gathering : float, default 0
        Seconds for which a file may wait for others to go with.
    """

    def __init__(self, task: PictureTask, most: int | None = None, gathering: float = 0.0) -> None:
        super().__init__(task)
        self._most, self._gathering = most or processes(), gathering
        self._files: deque[_File] = deque()
        self._busy: set[_Parcel] = set()
        self._alarms: dict[Callable[[], None], asyncio.TimerHandle] = {}
        self._due = self._late = False
        self._loop: asyncio.AbstractEventLoop
        self._behind = self._judged = 0.0

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Keep an idle process for the next caller of an equal task, and end all others."""
        for alarm in self._alarms.values():
            alarm.cancel()
        for parcel in self._busy:
            if not self._loop.is_closed():
                self._loop.remove_reader(parcel.process)
            parcel.process.kill()
        super().__exit__(kind, error, trace)

    async def ask_together(self, content: bytes) -> Made:
        """Run the task on a file without blocking the event loop; see `Apart.ask`."""
        self._loop = asyncio.get_running_loop()
        file = _File(content, self._loop.create_future())
        self._files.append(file)
        if self._gathering:
            self._in(self._gathering, self._fall_due)
        else:
            self._due = True
        self._pump()
        return concluded(await file.answer)

    def _in(self, seconds: float, act: Callable[[], None]) -> None:
        """Act in so many seconds, if that is not going to happen anyway."""

        def acted() -> None:
            del self._alarms[act]
            act()

        if act not in self._alarms:
            self._alarms[act] = self._loop.call_later(seconds, acted)

    def _fall_due(self) -> None:
        self._due = bool(self._files)
        self._pump()

    def _pump(self) -> None:
        """Send the files that are due, as far as there are processes."""
        self._judge()
        while self._is_due() and (self._idle or self._may_start()):
            self._employ()
        self._late = self._is_due() and not any(parcel.new for parcel in self._busy)
        if self._late and len(self._busy) < self._most:
            self._in(BEHIND_SECONDS, self._pump)

    def _is_due(self) -> bool:
        return bool(self._files) and (self._due or len(self._files) >= MOST_FILES)

    def _judge(self) -> None:
        """Add the time since the last look to that of waiting, or take it off."""
        passed, self._judged = self._loop.time() - self._judged, self._loop.time()
        self._behind = max(0.0, self._behind + (passed if self._late else -passed))

    def _may_start(self) -> bool:
        if any(parcel.new for parcel in self._busy) or len(self._busy) >= self._most:
            return False
        return self._behind >= BEHIND_SECONDS or not self._busy

    def _employ(self) -> None:
        """Give files to an idle process, or to a new one."""
        if files := self._taken():
            waiting = self._waiting()
            new = waiting is None
            self._behind = 0.0 if new else self._behind
            try:
                process = waiting or PictureProcess(self._task)
            except (OSError, CurateError) as error:  # no other hears it: the loop may call this
                for file in files:
                    file.answer.set_exception(error)
            else:
                self._hand(_Parcel(process, files, new))
        self._due = self._due and bool(self._files)

    def _taken(self) -> list[_File]:
        """Take files that go together, those nobody waits for any more left out."""
        taken: list[_File] = []
        size = 0
        while self._files and len(taken) < MOST_FILES:
            file = self._files[0]
            size += len(file.content)
            if taken and (file.alone or taken[0].alone or size > MOST_BYTES):
                break
            self._files.popleft()
            if not file.answer.done():
                taken.append(file)
        return taken

    def _hand(self, parcel: _Parcel) -> None:
        """Send a process its files, once it has begun, and listen to it."""
        self._busy.add(parcel)
        self._loop.add_reader(parcel.process, self._heard, parcel)
        if parcel.new:
            return
        contents = [file.content for file in parcel.files]
        details = {SIZES: [*map(len, contents)]}
        if sum(details[SIZES]) <= SHARED_BYTES:
            parcel.process.send(details, *contents)
        else:  # writing them to the pipe takes milliseconds
            self._loop.run_in_executor(None, parcel.process.send, details, *contents)

    def _heard(self, parcel: _Parcel) -> None:
        self._loop.remove_reader(parcel.process)
        self._busy.discard(parcel)
        answers = _answers(parcel)
        if isinstance(answers, Died):
            parcel.process.kill()
            self._died(parcel, answers)
        elif parcel.new:
            self._hand(_Parcel(parcel.process, parcel.files, new=False))
        else:
            for file, answer in zip(parcel.files, answers, strict=True):
                _settle(file, answer)
            if any(isinstance(answer, Failed) for answer in answers):
                parcel.process.kill()
            else:
                self._idle.append(parcel.process)
        self._pump()

    def _died(self, parcel: _Parcel, death: Died) -> None:
        """Send the files of a dead process to another one, each alone, up to `TRIES` times."""
        if parcel.new:
            for file in parcel.files:
                _settle(file, death, ready=False)
            return
        (first, *others) = parcel.files
        if not others:
            first.tries += 1
            if is_final(death) or first.tries >= TRIES:
                _settle(first, death)
                return
        for file in reversed(parcel.files):
            file.alone = True
            self._files.appendleft(file)
        self._due = True


def _answers(parcel: _Parcel) -> list[Message] | Died:
    """Return what a process says of its files; one that says anything else counts as dead."""
    try:
        message = parcel.process.receive()
        if parcel.new or isinstance(message, Died):
            return message if isinstance(message, Died) else []
        return understood_files(message, len(parcel.files))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Died()


def _settle(file: _File, message: Message, *, ready: bool = True) -> None:
    if file.answer.done():
        return
    try:
        if not ready:
            check_ready(message)
    except CurateError as error:
        file.answer.set_exception(error)
    else:
        file.answer.set_result(message)
