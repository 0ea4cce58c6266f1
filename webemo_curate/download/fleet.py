"""Drive the processes that own hosts: deal out URLs, pass messages on, note what they found."""

import logging
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from webemo_curate.download.decided import is_stored
from webemo_curate.download.host_owner import HostOwner
from webemo_curate.download.hosts import host_of
from webemo_curate.download.journal import Entry
from webemo_curate.download.known import Known
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
from webemo_curate.download.queues import Queues
from webemo_curate.download.record import Record
from webemo_curate.download.turn_desk import TurnDesk
from webemo_curate.download.visit import Visit
from webemo_curate.download.whereabouts import Whereabouts
from webemo_curate.errors import CurateError
from webemo_curate.runner.conversation import Partner, Partners, died_or_failed
from webemo_curate.system_faults import GO_ON

TICK_SECONDS = 1.0
"""Seconds between two redraws of the progress line."""

ENDING_SECONDS = 1.0
"""Seconds in which a process may end by itself after an error or Ctrl-C."""

DEATHS = 3
"""Deaths of a process without any outcome between them after which the fetch ends."""

URLS_A_MESSAGE = 20_000
"""URLs dealt out at a time, so that a long list is not copied whole."""

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
        self._unsettled: list[list[Entry]] = [[] for _ in self._deaths]
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

    def run_pass(self, number: int, queues: Queues) -> None:
        """Bring URLs to their outcomes in one pass.

        Parameters
        ----------
        number : int
            Number of the pass, from 1.
        queues : Queues
            The URLs by host.

        Raises
        ------
        CurateError
            If a process cannot go on, or dies again and again.
        """
        self._urls.begin(number, queues)
        self._left = len(queues)
        for own in range(self._deal.processes):
            self._tell(own, PassBegins(number))
        for start in range(0, queues.rows.num_rows, URLS_A_MESSAGE):
            self._deal_out(queues.rows.slice(start, URLS_A_MESSAGE))
        for name, visit in queues.held:
            self._tell(self._deal.owner(name), Handed(visit, name, visit.spent))
        while self._left:
            self._listen(TICK_SECONDS)
        for own in range(self._deal.processes):
            self._tell(own, PassEnds())

    def held(self) -> dict[str, float]:
        """Return the seconds for which `Retry-After` still holds URLs."""
        now = time.monotonic()
        return {url: until - now for url, until in self._held.items() if until > now}

    def _tell(self, own: int, message: object) -> None:
        self._processes[own].tell(message)

    def _deal_out(self, rows: pa.Table) -> None:
        """Tell the processes their URLs of some rows of the queues."""
        for own, share in enumerate(self._deal.shares(rows.drop_columns(["place"]))):
            if share.num_rows:
                self._tell(own, Dealt(share))

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
                self._unsettled[own].append(Entry(result.outcome, self._urls.number))
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
        """Start a process in place of a dead one, and hand out again what it had not ended.

        While the fetch ends the others take no URLs any more: what is lost then is without outcome.
        """
        self._processes[own].kill()
        self.has_lost_some = True
        self._take_back_lost(own)
        if self._ending or not self._left:
            self._finished.add(own)
            return
        self._deaths[own] += 1
        if self._deaths[own] >= DEATHS:
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
        entries, self._unsettled[own] = self._unsettled[own], []
        there = replace(self._owner, own=own).workspace.images
        lost = [entry for entry in entries if not is_stored(entry.outcome, there)]
        for entry in lost:
            self._record.take_back(entry.outcome.url)
            self._urls.handed(entry.outcome.url, own)
        self._left += len(lost)
        earlier = [e.outcome.url for e in lost if e.number != self._urls.number]
        self._urls.add({url: host_of(self._owner.target(url)) for url in earlier})

    def _take_from_journal(self, own: int) -> None:
        """Note what a dead process had found, has stored and had not told any more."""
        owner = replace(self._owner, own=own)
        there = owner.workspace.images
        for entry in owner.journal.read():
            when = entry.outcome.finished
            is_new = entry.number == self._urls.number and when and when > self._began
            if is_new and is_stored(entry.outcome, there):
                self._note(Result(entry.outcome))

    def _deal_again(self, own: int) -> None:
        """Deal out what was with a dead process: its hosts' URLs to the new one, others' home."""
        for rows in self._urls.with_process(own):
            for home, share in enumerate(self._deal.shares(rows)):
                if home == own:
                    self._deal_out(share)
                    continue
                pairs = zip(share["host"].to_pylist(), share["url"].to_pylist(), strict=True)
                for name, url in pairs:
                    self._tell(home, Handed(Visit(url, self._known.outcome(url)), name))

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
