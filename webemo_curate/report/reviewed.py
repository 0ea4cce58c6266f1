"""Decisions of people, and what they tell of the text filter and of one another."""

from collections import Counter
from dataclasses import dataclass

from webemo_curate.reviews.blind_sample import recorded_estimate
from webemo_curate.reviews.review_journal import ReviewJournal
from webemo_curate.reviews.reviewers_agreement import agreements
from webemo_curate.workspace import Workspace


@dataclass(frozen=True)
class KindReviewed:
    """The decisions of a kind.

    Attributes
    ----------
    kind
        What was asked.
    decided
        Cases whose decision counts.
    disputed
        Those that reviewers decided otherwise than one another.
    """

    kind: str
    decided: int
    disputed: int


@dataclass(frozen=True)
class Reviewed:
    """The decisions of a workspace's reviewers.

    Attributes
    ----------
    kinds
        A row a kind, by name.
    estimate
        The text filter's precision and recall by the blind sample, in sentences; none without one.
    agreement
        How far each two reviewers agree, a sentence each.
    """

    kinds: list[KindReviewed]
    estimate: list[str]
    agreement: list[str]


def reviewed(workspace: Workspace) -> Reviewed | None:
    """Sum up the decisions.

    Parameters
    ----------
    workspace : Workspace
        Whose reviews.

    Returns
    -------
    Reviewed or None
        None while there are no decisions.

    Raises
    ------
    InputError
        If the journal cannot be read.
    """
    journal = ReviewJournal(workspace)
    counts = Counter(str(review.kind) for review in journal.deciding())
    disputed = Counter(str(case.kind) for case, _ in journal.conflicts())
    if not counts:
        return None
    kinds = [KindReviewed(kind, count, disputed[kind]) for kind, count in sorted(counts.items())]
    estimate = recorded_estimate(workspace) if workspace.has("text") else None
    agreement = [each.line() for each in agreements(journal.all())]
    return Reviewed(kinds, estimate.lines() if estimate else [], agreement)
