"""The server of the networks: it takes questions, runs batches and sends answers."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from webemo_curate.ocr.asking import Answer, Item, batch_entries, open_runner
from webemo_curate.ocr.feeding.gathering import Gathering, Group
from webemo_curate.ocr.feeding.questions import (
    Asked,
    Carried,
    Place,
    Refused,
    Reply,
    carried,
)
from webemo_curate.runner.arena import Arena
from webemo_curate.system_faults import raise_system_fault

if TYPE_CHECKING:
    from webemo_curate.ocr.device_network import NetworkFile, Started

AT_ONCE = 2
"""Batches given to a GPU at a time: one runs while the other is copied to it."""

MANY = 64
"""Waiting items from which partly filled batches run too, because the rest has rare shapes."""


class AskingProcess(Protocol):
    """A process that asks."""

    @property
    def arena(self) -> Arena:
        """The memory shared with it."""

    def answer(self, message: Reply | Refused) -> None:
        """Send an answer; ignored if the process is gone."""


@dataclass
class _Question:
    """A question of one process, until all of it is answered."""

    asker: AskingProcess
    asked: Asked
    is_open: bool = True
    answers: dict[int, tuple[Carried, ...] | None] = field(default_factory=dict)

    def enter(self, index: int, answer: Answer) -> None:
        """Store the answer to one item where the asking process reads it."""
        place, arena = self.asked.items[index], self.asker.arena
        self.answers[index] = (
            None if answer is None else tuple(carried(part, place, arena) for part in answer)
        )

    @property
    def is_answered(self) -> bool:
        return len(self.answers) == len(self.asked.items)


class _BatchEntry(NamedTuple):
    """One item of a question."""

    question: _Question
    number: int

    @property
    def item(self) -> Item:
        item = self.question.asked.items[self.number]
        return item.look(self.question.asker.arena) if isinstance(item, Place) else item


class _Batch(NamedTuple):
    """Items under way through a network."""

    network: str
    entries: list[_BatchEntry]
    started: "Started"


class Filling(NamedTuple):
    """How full the batches of a network were.

    Attributes
    ----------
    batches
        Number of batches run.
    items
        Number of items in them.
    entries
        Number of entries in them.
    """

    batches: int = 0
    items: int = 0
    entries: int = 0


class NetworkServer:
    """Runs the networks on batches of items from several processes.

    Parameters
    ----------
    files : Mapping of str to NetworkFile
        The networks, by name.
    device : str
        `cuda` or `cpu`.

    Raises
    ------
    CurateError
        If a network cannot be loaded.

    Attributes
    ----------
    filling
        How full the batches were, by network.
    """

    def __init__(self, files: "Mapping[str, NetworkFile]", device: str) -> None:
        self._files, self._device = files, device
        self._runners = {name: open_runner(name, file, device) for name, file in files.items()}
        self._gathering: Gathering[_BatchEntry] = Gathering()
        self._running: deque[_Batch] = deque()
        self._questions: list[_Question] = []
        self.filling = dict.fromkeys(files, Filling())

    @property
    def askers(self) -> int:
        """Number of processes that wait for an answer."""
        return len(self._questions)

    @property
    def is_busy(self) -> bool:
        """Whether any work is left."""
        return bool(self._running or len(self._gathering))

    def take(self, asker: AskingProcess, asked: Asked) -> None:
        """Queue a question for its batches."""
        question = _Question(asker, asked)
        self._questions.append(question)
        for index, item in enumerate(asked.items):
            group = Group(asked.network, tuple(item.shape), str(item.dtype))
            entries = batch_entries(self._files[asked.network], group.shape, self._device)
            self._gathering.add(group, entries, _BatchEntry(question, index))

    def forget(self, asker: AskingProcess) -> None:
        """Drop the questions of a process that is gone."""
        for question in [each for each in self._questions if each.asker is asker]:
            self._close(question)

    def advance(self, *, hurry: bool) -> bool:
        """Start a batch, or collect one.

        Parameters
        ----------
        hurry : bool
            Whether no more questions will come before there are answers.

        Returns
        -------
        bool
            Whether anything was done; if not, wait for questions.
        """
        running = len(self._running)
        soon = hurry or not running or len(self._gathering) >= MANY
        if running < AT_ONCE and self._start(hurry=soon):
            return True
        if running and (hurry or running == AT_ONCE or self._running[0].started.is_done()):
            self._finish(self._running.popleft())
            return True
        return False

    def _start(self, *, hurry: bool) -> bool:
        batch = self._gathering.take(hurry=hurry)
        if batch is None:
            return False
        group, size, waiting = batch
        entries = [entry for entry in waiting if entry.question.is_open]
        if entries:
            try:
                started = self._runners[group.network].start([each.item for each in entries], size)
            except Exception as error:  # networks raise many kinds of errors
                self._refuse(entries, error)
            else:
                self._running.append(_Batch(group.network, entries, started))
                self._note(group.network, len(entries), size)
        return True

    def _note(self, network: str, items: int, entries: int) -> None:
        before = self.filling[network]
        self.filling[network] = Filling(
            before.batches + 1, before.items + items, before.entries + entries
        )

    def _finish(self, batch: _Batch) -> None:
        try:
            answers = self._runners[batch.network].finish(batch.started)
        except Exception as error:
            self._refuse(batch.entries, error)
            return
        for entry, answer in zip(batch.entries, answers, strict=True):
            if entry.question.is_open:
                entry.question.enter(entry.number, answer)
                self._close_answered(entry.question)

    def _close_answered(self, question: _Question) -> None:
        if question.is_answered:
            self._close(question)
            answers = tuple(question.answers[index] for index in range(len(question.answers)))
            question.asker.answer(Reply(answers))

    def _refuse(self, entries: Iterable[_BatchEntry], error: Exception) -> None:
        raise_system_fault(error)
        for entry in entries:
            if entry.question.is_open:
                self._close(entry.question)
                entry.question.asker.answer(Refused(f"{type(error).__name__}: {error}"))

    def _close(self, question: _Question) -> None:
        question.is_open = False
        self._questions = [each for each in self._questions if each is not question]
