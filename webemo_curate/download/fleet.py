"""Drive the processes that own hosts: deal out URLs, pass messages on, note what they found."""

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from webemo_curate.download.host_owner import HostOwner
from webemo_curate.download.journal import Entry
from webemo_curate.download.notes import (
    Dealt,
    End,
    Ended,
    Handed,
    Logged,
    PassBegins,
    PassEnds,
    Result,
    Settled,
    SignedOff,
    Troubles,
    TurnEnded,
    TurnGiven,
    TurnWanted,
)
from webemo_curate.download.queues import queued
from webemo_curate.download.record import Known, Record
from webemo_curate.download.turn_desk import TurnDesk
from webemo_curate.download.visit import Visit
from webemo_curate.download.whereabouts import Whereabouts
from webemo_curate.errors import CurateError
from webemo_curate.runner.conversation import Partner, Partners, died_or_failed
from webemo_curate.system_faults import GO_ON
from webemo_curate.workspace import image_path

TICK_SECONDS = 1.0
"""Seconds between two redraws of the progress line."""

ENDING_SECONDS = 1.0
"""Seconds in which a process may end by itself after an error or Ctrl-C."""

DEATHS = 3
"""Deaths of a process without any outcome between them after which the fetch ends."""

URLS_A_MESSAGE = 20_000
"""URLs told at a time, so that a long list is not copied whole."""

logger = logging.getLogger(__name__)


class Fleet:
    """The processes of a fetch; a context manager.

    Parameters
    ----------
    owner : HostOwner
        The work of each process but for its number.
    partners : Partners
        Where they run.
    known : Known
        Outcomes so far.
    record : Record
        Notes outcomes.

    Attributes
    ----------
    has_lost_some
        Whether a process has died.
    """

    def __init__(self, owner: HostOwner, partners: Partners, known: Known, record: Record) -> None:
        self._owner, self._partners, self._known, self._record = owner, partners, known, record
        self._deal = owner.deal
        self._processes: list[Partner] = []
        self._deaths = [0] * self._deal.processes
        self._troubles: list[list[str]] = [[] for _ in self._deaths]
        self._unsettled: list[list[str]] = [[] for _ in self._deaths]
        self._finished: set[int] = set()
        self._desk = TurnDesk(self._deal, self._tell)
        self._urls = Whereabouts(self._deal, known)
        self._held: dict[str, float] = {}
        self._left = 0
        self._ending = self.has_lost_some = False
        self._shown = 0.0

    def __enter__(self) -> Self:
        """Start the processes."""
        self._began = datetime.now(UTC)
        try:
            for own in range(self._deal.processes):
                self._processes.append(self._partners.start(replace(self._owner, own=own)))
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes: after an error they keep what is in their journals."""
        try:
            self._end(settle=error is None)
        finally:
            self._kill()

    def run_pass(self, number: int, queues: Mapping[str, list[str]]) -> None:
        """Bring URLs to their outcomes in one pass.

        A URL is skipped if an earlier pass's `Retry-After` holds it for longer than its own time.

        Parameters
        ----------
        number : int
            Number of the pass, from 1.
        queues : mapping of str to list of str
            URLs by host, in the order in which each host is to be asked.

        Raises
        ------
        CurateError
            If a process cannot go on, or dies again and again.
        """
        late = time.monotonic() + self._owner.config.timeout
        held = {url for url, until in self._held.items() if until >= late}
        dealt = {name: [url for url in urls if url not in held] for name, urls in queues.items()}
        self._urls.begin(number, dealt)
        self._left = sum(map(len, dealt.values()))
        for own in range(self._deal.processes):
            self._tell(own, PassBegins(number))
        for own, names in enumerate(self._deal.shares(dealt)):
            self._deal_out(own, {name: dealt[name] for name in names})
        while self._left:
            self._listen(TICK_SECONDS)
        for own in range(self._deal.processes):
            self._tell(own, PassEnds())

    def held(self) -> list[float]:
        """Return the seconds for which URLs are still held by `Retry-After`."""
        now = time.monotonic()
        return sorted(until - now for until in self._held.values() if until > now)

    def _tell(self, own: int, message: object) -> None:
        self._processes[own].tell(message)

    def _deal_out(self, own: int, queues: Mapping[str, list[str]]) -> None:
        """Tell a process its URLs; a host's never come in two messages."""
        part: dict[str, list[str]] = {}
        size = 0
        for name, urls in queues.items():
            part[name] = urls
            size += len(urls)
            if size >= URLS_A_MESSAGE:
                self._tell(own, self._dealt(part))
                part, size = {}, 0
        self._tell(own, self._dealt(part))

    def _dealt(self, queues: Mapping[str, list[str]]) -> Dealt:
        if self._urls.number == 1:
            return Dealt(queues)
        now, outcomes = time.monotonic(), self._known.outcomes
        urls = [url for part in queues.values() for url in part]
        return Dealt(
            queues,
            {url: outcomes[url] for url in urls if url in outcomes},
            {url: self._held[url] - now for url in urls if self._held.get(url, now) > now},
        )

    def _listen(self, seconds: float) -> None:
        """Act on what the processes say, and redraw the progress line from time to time."""
        numbers = {id(process): own for own, process in enumerate(self._processes)}
        working = [self._processes[own] for own in self._working()]
        for process, messages in self._partners.listen(working, seconds):
            for message in messages:
                self._act(numbers[id(process)], message)
        if time.monotonic() - self._shown >= TICK_SECONDS:
            self._record.show([line for lines in self._troubles for line in lines])
            self._owner.store.check_own()
            self._shown = time.monotonic()

    def _working(self) -> list[int]:
        return [own for own in range(self._deal.processes) if own not in self._finished]

    def _act(self, own: int, message: Any) -> None:
        if died_or_failed(message, "fetch"):
            self._replace(own)
        elif isinstance(message, Ended):
            self._deaths[own] = 0
            for result in message.results:
                self._note(result)
                self._unsettled[own].append(result.outcome.url)
        elif isinstance(message, Handed):
            owner = self._deal.owner(message.name)
            self._urls.handed(message.visit.url, owner)
            self._tell(owner, message)
        elif isinstance(message, TurnWanted | TurnGiven | TurnEnded):
            self._desk.pass_on(message)
        elif isinstance(message, SignedOff):
            self._finished.add(own)
        else:
            self._show(own, message)

    def _show(self, own: int, message: Settled | Troubles | Logged) -> None:
        """Keep what the next redraw shows, or log a line."""
        if isinstance(message, Settled):
            del self._unsettled[own][: message.outcomes]
        elif isinstance(message, Troubles):
            self._troubles[own] = message.lines
        else:
            logger.log(message.level, "%s", message.line)

    def _note(self, result: Result) -> None:
        """Note an outcome of the present pass, once."""
        url = result.outcome.url
        if not self._urls.is_open(url):
            return
        self._record.note(Entry(result.outcome, self._urls.number))
        self._urls.ended(url)
        if result.held:
            self._held[url] = time.monotonic() + result.held
        self._left -= 1

    def _replace(self, own: int) -> None:
        """Start a process in place of a dead one, and hand out again what it had not ended."""
        self._processes[own].kill()
        self.has_lost_some = True
        self._take_back_lost(own)
        if not self._left:
            self._finished.add(own)
            return
        self._deaths[own] += 1
        if self._ending or self._deaths[own] >= DEATHS:
            raise CurateError(
                "fetch: its processes die as soon as they have begun; is there enough memory? Try "
                f"fewer with --workers; {GO_ON}"
            )
        logger.warning("fetch: a process died; another one goes on with its hosts")
        self._take_from_journal(own)
        self._troubles[own] = []
        self._processes[own] = self._partners.restart(replace(self._owner, own=own))
        self._tell(own, PassBegins(self._urls.number))
        self._deal_again(own)
        self._desk.replaced(own)

    def _take_back_lost(self, own: int) -> None:
        """Take outcomes back whose images were on a machine that is gone, and in no shard yet."""
        urls, self._unsettled[own] = self._unsettled[own], []
        there = replace(self._owner, own=own).workspace.images
        found = [self._known.outcomes[url] for url in urls]
        lost = [
            outcome.url
            for outcome in found
            if outcome.sha256
            and not there.holds(image_path(outcome.sha256, str(outcome.suffix)), outcome.bytes)
        ]
        for url in lost:
            self._record.take_back(url)
        self._left += len(lost)
        self._urls.add(queued(lost, self._owner.target, self._record.add))

    def _take_from_journal(self, own: int) -> None:
        """Note what a dead process had found and not told any more."""
        settled, unsettled = replace(self._owner, own=own).journal.read()
        for entry in settled + unsettled:
            when = entry.outcome.finished
            if entry.number == self._urls.number and when and when > self._began:
                self._note(Result(entry.outcome))

    def _deal_again(self, own: int) -> None:
        """Deal out what was with a dead process: its hosts' URLs to the new one, others' home."""
        lost = self._urls.with_process(own)
        self._deal_out(own, {name: lost[name] for name in lost if self._deal.owner(name) == own})
        for name, urls in lost.items():
            home = self._deal.owner(name)
            for url in urls if home != own else ():
                earlier = self._known.outcomes.get(url)
                self._tell(home, Handed(Visit(url), name, earlier=earlier))

    def _end(self, *, settle: bool) -> None:
        """Tell the processes to end, and wait for them: after an error a moment only."""
        until = time.monotonic() + ENDING_SECONDS
        self._left, self._ending = 0, True
        for own in range(self._deal.processes):
            self._tell(own, End(settle))
        with suppress(*(() if settle else (CurateError,))):
            while self._working() and (settle or time.monotonic() < until):
                self._listen(TICK_SECONDS if settle else ENDING_SECONDS / 10)

    def _kill(self) -> None:
        for process in self._processes:
            process.kill()
