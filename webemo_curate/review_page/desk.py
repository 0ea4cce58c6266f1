"""The desk: a queue, the journal, and one person who decides; each decision on the disk at once."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from threading import Lock
from typing import Final, NamedTuple

from webemo_curate.errors import InputError
from webemo_curate.review_page.case_queue import CaseFilter, CaseQueue
from webemo_curate.reviews.review import Review
from webemo_curate.reviews.review_journal import ReviewJournal

MAX_AT_ONCE: Final = 500
"""Cases that one request may decide, or ask about."""


class Mark(NamedTuple):
    """What was decided of a case.

    Attributes
    ----------
    number
        The case's.
    mine
        The decision of the person at the desk; None without one.
    others
        How many others have decided it.
    """

    number: int
    mine: str | None
    others: int


class Desk:
    """Takes decisions of one person, from any number of tabs.

    Parameters
    ----------
    queue : CaseQueue
        What is asked.
    journal : ReviewJournal
        Where decisions go, open for writing.
    reviewer : str
        The person's name.
    note : str, optional
        Kept with every decision, such as the name of a sample.
    """

    def __init__(
        self, queue: CaseQueue, journal: ReviewJournal, reviewer: str, note: str | None = None
    ) -> None:
        self.queue, self.reviewer = queue, reviewer
        self._journal, self._note = journal, note
        self._lock = Lock()
        self.made = 0
        self._changed: list[int] = []
        self._mine = self._standing()
        self._done = [[number] for number in self._mine]  # what an earlier session decided, too
        self._others: dict[int, dict[str, str]] = defaultdict(dict)
        for number, review in self._known():
            if review.reviewer != reviewer:
                self._others[number][review.reviewer] = review.decision

    def view(self, wanted: CaseFilter, state: str) -> dict[str, object]:
        """Return the cases of a filter, and what was decided of any.

        Parameters
        ----------
        wanted : CaseFilter
            Which cases.
        state : str
            `open`: nobody has decided it; `mine`: the person at the desk has not; `decided`:
            somebody has; `conflict`: people decided otherwise; empty: all.

        Returns
        -------
        dict
            JSON values.
        """
        with self._lock:
            numbers = [n for n in self.queue.chosen(wanted) if self._is_in(n, state)]
            touched = sorted(self._mine.keys() | self._others.keys())
            return {
                "numbers": numbers,
                "marks": [self._mark(number) for number in touched],
                "revision": len(self._changed),
                "reviewer": self.reviewer,
                "blind": self.queue.blind,
                "kinds": self.queue.kinds(),
            }

    def details(self, numbers: Sequence[int]) -> list[dict[str, object]]:
        """Return what the page shows of some cases; refuses numbers that are none."""
        self._check(numbers)
        return [self.queue.details(number) for number in numbers]

    def decide(self, numbers: Sequence[int], decision: str, since: int) -> dict[str, object]:
        """Take one decision of some cases; it is on the disk when this returns.

        Parameters
        ----------
        numbers : sequence of int
            The cases.
        decision : str
            One of their answers.
        since : int
            The revision that the page knows.

        Returns
        -------
        dict
            What has changed since; see `changes`.

        Raises
        ------
        InputError
            If it is no answer to one of them; then none is taken.
        """
        self._check(numbers)
        for number in numbers:
            if decision not in self.queue.answers(number):
                raise InputError(f"case {number}: {decision!r} is no answer to it")
        with self._lock:
            taken: list[int] = []
            for number in numbers:
                self._journal.append(self._review(number, decision))
                if not taken:
                    self._done.append(taken)  # what a full disk cuts short can be undone too
                taken.append(number)
                self._mine[number] = decision
                self._changed.append(number)
                self.made += 1
            return self._changes(since)

    def undo(self, since: int) -> dict[str, object]:
        """Take the last decision back, of all cases that it was of; see `decide`."""
        with self._lock:
            undone = self._done.pop() if self._done else []
            for number in undone:
                self._journal.undo(self.queue.cases[number], self.reviewer)
                self._changed.append(number)
                self.made = max(0, self.made - 1)
            if undone:
                self._mine = self._standing()
            return self._changes(since) | {"undone": undone}

    def changes(self, since: int) -> dict[str, object]:
        """Return the marks that have changed since a revision, and the present one."""
        with self._lock:
            return self._changes(since)

    def _changes(self, since: int) -> dict[str, object]:
        changed = dict.fromkeys(self._changed[max(0, since) :])
        return {
            "marks": [self._mark(number) for number in changed],
            "revision": len(self._changed),
        }

    def _check(self, numbers: Sequence[int]) -> None:
        if len(numbers) > MAX_AT_ONCE:
            raise InputError(f"more than {MAX_AT_ONCE} cases at once")
        if wrong := [number for number in numbers if not 0 <= number < len(self.queue)]:
            raise InputError(f"case {wrong[0]}: there is none")

    def _is_in(self, number: int, state: str) -> bool:
        mine, others = self._mine.get(number), self._others.get(number, {})
        match state:
            case "open":
                return mine is None and not others
            case "mine":
                return mine is None
            case "decided":
                return mine is not None or bool(others)
            case "conflict":
                return len({*others.values(), *([mine] if mine else [])}) > 1
        return True

    def _mark(self, number: int) -> Mark:
        return Mark(number, self._mine.get(number), len(self._others.get(number, {})))

    def _review(self, number: int, decision: str) -> Review:
        case = self.queue.cases[number]
        score, threshold = self.queue.shown_score(number)
        return Review(
            case.kind,
            case.sha256,
            case.other,
            decision,
            self.reviewer,
            datetime.now(UTC),
            score,
            threshold,
            self._note,
        )

    def _standing(self) -> dict[int, str]:
        """Return the decisions of the person at the desk that stand, by case, latest last."""
        return {
            number: review.decision
            for number, review in self._known()
            if review.reviewer == self.reviewer
        }

    def _known(self) -> Iterator[tuple[int, Review]]:
        """Yield the standing decisions of anybody on cases of the queue, latest last."""
        for review in self._journal.current():
            number = self.queue.number(review.case)
            if number is not None:
                yield number, review
