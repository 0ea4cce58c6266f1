"""The decisions that stand: of each person the last on a case, over people the last of those."""

from collections.abc import Iterable
from typing import NamedTuple

from webemo_curate.reviews.review import Case, Review


class Conflict(NamedTuple):
    """A case on which people disagree.

    Attributes
    ----------
    case
        What was decided on.
    reviews
        The decision of each reviewer, by time; the last one decides.
    """

    case: Case
    reviews: tuple[Review, ...]


def current(entries: Iterable[Review]) -> list[Review]:
    """Return each reviewer's standing decision on each case.

    The last in time wins; of equal times the later entry. An undo takes back the reviewer's last
    decision on the case, so that the one before it stands again; where there is none it does
    nothing.

    Parameters
    ----------
    entries : iterable of Review
        Every entry of the journal, in its order.

    Returns
    -------
    list of Review
        In the order of time; at most one for a case and a reviewer.
    """
    made: dict[tuple[Case, str], list[Review]] = {}
    for entry in sorted(entries, key=lambda entry: entry.time):  # stable: later entries stay later
        history = made.setdefault((entry.case, entry.reviewer), [])
        if not entry.undoes:
            history.append(entry)
        elif history:
            history.pop()
    return sorted((h[-1] for h in made.values() if h), key=lambda review: review.time)


def deciding(entries: Iterable[Review]) -> list[Review]:
    """Return the decision that counts of each case: the last over its reviewers.

    Parameters
    ----------
    entries : iterable of Review
        As for `current`.

    Returns
    -------
    list of Review
        One a case, ordered by case.
    """
    last = {review.case: review for review in current(entries)}
    return sorted(last.values(), key=lambda review: review.case)


def conflicts(entries: Iterable[Review]) -> list[Conflict]:
    """Return the cases on which reviewers' standing decisions differ.

    Parameters
    ----------
    entries : iterable of Review
        As for `current`.

    Returns
    -------
    list of Conflict
        Ordered by case.
    """
    by_case: dict[Case, list[Review]] = {}
    for review in current(entries):
        by_case.setdefault(review.case, []).append(review)
    return [
        Conflict(case, tuple(reviews))
        for case, reviews in sorted(by_case.items())
        if len({review.decision for review in reviews}) > 1
    ]
