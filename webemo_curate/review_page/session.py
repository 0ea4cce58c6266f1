"""A session of review: the cases are gathered, the page is served, decisions go to the journal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from webemo_curate.errors import InputError
from webemo_curate.review_page.case_facts import gather_facts
from webemo_curate.review_page.case_queue import CaseQueue, build_queue
from webemo_curate.review_page.cases import texts_as_cases
from webemo_curate.review_page.desk import Desk
from webemo_curate.review_page.serving import serve
from webemo_curate.reviews.review import Decision, Review, ReviewKind
from webemo_curate.reviews.review_journal import ReviewJournal
from webemo_curate.runner.work_context import WorkContext

MADE_FROM: Final = {
    ReviewKind.TEXT: "text",
    ReviewKind.DUPLICATE: "pairs",
    ReviewKind.LABEL: "labels",
}
"""The manifest that the cases of a kind are made from."""


@dataclass(frozen=True)
class Session:
    """How a review is held.

    Attributes
    ----------
    reviewer
        Who decides.
    port
        On loopback; 0: any that is free.
    ready
        Called with the page's address once it can be opened.
    """

    reviewer: str
    port: int = 0
    ready: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        """Refuse a name that no review may bear, before anything is decided."""
        Review(ReviewKind.TEXT, "0" * 64, None, Decision.KEEP, self.reviewer, datetime.now(UTC))

    def near(self, work: WorkContext, kind: ReviewKind | None, margin: float) -> int:
        """Let a person decide what is near a threshold.

        Parameters
        ----------
        work : WorkContext
            The workspace and its configuration.
        kind : ReviewKind, optional
            Default every kind that has a manifest.
        margin : float
            How near.

        Returns
        -------
        int
            Decisions that were made.

        Raises
        ------
        InputError
            If there is nothing to make cases from.
        """
        kinds = (kind,) if kind else kinds_there(work)
        return self.hold(work, lambda: build_queue(work, kinds, margin))

    def sample(self, work: WorkContext, hashes: Sequence[str], name: str) -> int:
        """Let a person decide of pictures without knowing what the text rule says of them.

        Parameters
        ----------
        work : WorkContext
            The workspace and its configuration.
        hashes : sequence of str
            SHA-256 of the pictures, in the order in which they are asked.
        name : str
            Of the sample: the note of each decision.

        Returns
        -------
        int
            Decisions that were made.
        """
        return self.hold(work, lambda: _blind(work, hashes), name)

    def hold(
        self, work: WorkContext, make_queue: Callable[[], CaseQueue], note: str | None = None
    ) -> int:
        """Serve a queue while the workspace is locked; return how many decisions were made."""
        with ReviewJournal(work.workspace) as journal:
            desk = Desk(make_queue(), journal, self.reviewer, note)
            serve(work, desk, self.port, self.ready)
        return desk.made


def kinds_there(work: WorkContext) -> tuple[ReviewKind, ...]:
    """Return the kinds of which there can be cases."""
    workspace = work.workspace
    kinds = tuple(kind for kind, name in MADE_FROM.items() if workspace.has(name))
    if not kinds:
        raise InputError(
            f"{workspace.where('text')}: no such manifest, nor pairs or labels: there is nothing "
            f"to review yet; '{workspace.typed('split')}' writes all three"
        )
    return kinds


def _blind(work: WorkContext, hashes: Sequence[str]) -> CaseQueue:
    cases = texts_as_cases(work.workspace, hashes)
    return CaseQueue(cases, gather_facts(work.workspace, cases), blind=True)
