"""The journal of reviews: appended to, never rewritten; each line is on the disk at once.

`manifests/reviews.parquet` holds the entries of earlier sessions, `data/reviews/` the lines that
came since. Ending a session puts them into the table, which loses none of them: a crash in between
leaves a line in both, and equal entries count once.
"""

import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from webemo_curate.errors import InputError
from webemo_curate.manifest import Origin
from webemo_curate.remedies import typed
from webemo_curate.reviews import standing
from webemo_curate.reviews.review import Case, Decision, Review
from webemo_curate.reviews.review_lines import as_line, as_table, from_table
from webemo_curate.reviews.review_segments import append_bytes, read_lines
from webemo_curate.rooted import below
from webemo_curate.workspace import Workspace

MANIFEST = "reviews"
SEGMENTS = "data/reviews"
SUFFIX = ".jsonl"
SEGMENT_BYTES = 2**16
"""A segment that is longer is ended: an object store takes it whole with every line."""

TICK = timedelta(microseconds=1)


class ReviewJournal:
    """The decisions of all reviewers of a workspace; as a context it may be written to.

    The context holds the workspace's lock. Reading needs none.

    Parameters
    ----------
    workspace : Workspace
        Whose reviews.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._store = workspace, workspace.store
        self._entries: dict[Review, None] | None = None  # in order, each once
        self._last: dict[Case, datetime] = {}
        self._segment: str | None = None
        self._stack: ExitStack | None = None
        self._mutex = threading.RLock()

    def __enter__(self) -> Self:
        """Take the workspace's lock.

        Raises
        ------
        CurateError
            If another command holds it.
        """
        self._stack = ExitStack()
        self._stack.enter_context(self._workspace.lock())
        self._entries = None  # another writer may have added some before this one got the lock
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put the session's lines into the table, unless something failed, and free the lock."""
        stack, self._stack = self._stack, None
        with stack or ExitStack():
            if kind is None or issubclass(kind, KeyboardInterrupt):
                self._settle()

    def append(self, review: Review) -> Review:
        """Add a decision made now; it is on the disk when this returns.

        Parameters
        ----------
        review : Review
            If a clock that went back gives it a time before the last entry on the case, it gets
            the next time after it, so that it is the last one.

        Returns
        -------
        Review
            As it was written.

        Raises
        ------
        CurateError
            If it cannot be written (a full disk, say): nothing was decided then.
        """
        return self.append_all([review])[0]

    def append_all(self, reviews: Iterable[Review]) -> list[Review]:
        """Add decisions made now, in their order, all of them or none; see `append`."""
        with self._mutex:
            self._known()
            last: dict[Case, datetime] = {}
            made = []
            for given in reviews:
                before = last.get(given.case) or self._last.get(given.case)
                late = before is not None and given.time <= before
                review = given.at(before + TICK) if late and before else given
                last[review.case] = review.time
                made.append(review)
            if made:
                self._write(made)
            return made

    def merge(self, reviews: Iterable[Review]) -> int:
        """Add entries of other journals, times and all; those that are here already count once.

        Parameters
        ----------
        reviews : iterable of Review
            All are written, or none.

        Returns
        -------
        int
            How many were new.
        """
        with self._mutex:
            known = self._known()
            new = [review for review in dict.fromkeys(reviews) if review not in known]
            if new:
                self._write(new)
            return len(new)

    def undo(self, case: Case, reviewer: str) -> Review | None:
        """Take a reviewer's last decision on a case back, by an entry of its own.

        Parameters
        ----------
        case : Case
            What was decided on.
        reviewer : str
            Who decided.

        Returns
        -------
        Review or None
            The decision that no longer stands; None if there was none.
        """
        with self._mutex:
            mine = (each for each in self._known() if each.case == case)
            stands = [each for each in standing.current(mine) if each.reviewer == reviewer]
            if stands:
                self.append(Review(*case, Decision.UNDO, reviewer, datetime.now(UTC)))
            return stands[0] if stands else None

    def all(self) -> list[Review]:
        """Return every entry, undos included, in the order in which they came."""
        return list(self._known())

    def current(self) -> list[Review]:
        """Return each reviewer's standing decision on each case; see `standing.current`."""
        return standing.current(self._known())

    def deciding(self) -> list[Review]:
        """Return the decision that counts of each case; see `standing.deciding`."""
        return standing.deciding(self._known())

    def conflicts(self) -> list[standing.Conflict]:
        """Return the cases on which reviewers differ; see `standing.conflicts`."""
        return standing.conflicts(self._known())

    def _known(self) -> dict[Review, None]:
        """Return all entries, read once."""
        with self._mutex:
            if self._entries is None:
                self._entries, self._last = {}, {}
                # Lines first: a session that ends meanwhile puts them into the table.
                lines = [*self._lines()]
                self._note([*self._settled(), *lines], self._entries)
            return self._entries

    def _note(self, reviews: Iterable[Review], known: dict[Review, None]) -> None:
        """Add entries to those that are known."""
        for review in reviews:
            known.setdefault(review)
            last = self._last.get(review.case, review.time)
            self._last[review.case] = max(last, review.time)

    def _settled(self) -> Iterator[Review]:
        """Yield the table's entries, if there is one."""
        if not self._workspace.has(MANIFEST):
            return
        try:
            yield from from_table(self._workspace.read(MANIFEST))
        except InputError as error:
            raise InputError(
                f"{self._workspace.where(MANIFEST)}: cannot be read as reviews "
                f"({error.__cause__ or error}); put a sound copy in its place, or move it away and "
                f"run '{typed('review --import FILE.csv')}' with what --export wrote"
            ) from error

    def _lines(self) -> Iterator[Review]:
        for key in self._keys():
            path = below(self._store.root, key)
            with suppress(FileNotFoundError):  # in the table by now
                here = path if path.exists() else self._store.local(key)
                yield from read_lines(here, self._store.where(key))

    def _keys(self) -> list[str]:
        """Return the segments: published ones, and those of a killed session here."""
        local = below(self._store.root, SEGMENTS).glob(f"*{SUFFIX}")
        here = {f"{SEGMENTS}/{path.name}" for path in local}
        return sorted(here.union(self._store.keys(SEGMENTS)))

    def _write(self, reviews: Sequence[Review]) -> None:
        """Write entries to the segment under way; all are on the disk when this returns."""
        if self._stack is None:
            raise RuntimeError("a journal is written to as a context, which holds the lock")
        self._store.check_own()
        key = self._segment or self._new_segment()
        path = below(self._store.root, key)
        self._segment = None  # if this fails, another is begun: a torn line is always the last
        size = append_bytes(path, b"".join(map(as_line, reviews)))
        self._store.publish(key)
        self._segment = key if size < SEGMENT_BYTES else None
        self._note(reviews, self._known())

    def _new_segment(self) -> str:
        # By time, and a name of its own: two machines that took turns may both have begun one.
        began = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        return f"{SEGMENTS}/{began}-{uuid.uuid4().hex[:8]}{SUFFIX}"

    def _settle(self) -> None:
        """Put all entries into the table; the lines are no longer needed."""
        keys = self._keys()
        if not keys:
            return
        origin = Origin("review", 1, {}, {})
        self._workspace.write(MANIFEST, as_table(self.all()), origin)
        for key in keys:
            self._store.remove(key)
        self._segment = None
