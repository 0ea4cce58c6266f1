"""A review: what one person decided of one picture or pair, and when."""

import math
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, NamedTuple, Self

from webemo_curate.errors import InputError
from webemo_curate.quoting import is_text, quoted

HASH = re.compile(r"[0-9a-f]{64}")
NEAR: Final = 0.1
"""How far from its threshold a score still is a near one, where nothing else is asked for."""

LONGEST: Final = 200
"""Characters of a label's or a reviewer's name."""

MAX_NOTE = 2_000


class ReviewKind(StrEnum):
    """What is asked of a person."""

    TEXT = "text"
    DUPLICATE = "duplicate"
    LABEL = "label"


class Decision(StrEnum):
    """What a person may answer; of `label` also the name of a label."""

    KEEP = "keep"
    DROP = "drop"
    SAME = "same"
    DIFFERENT = "different"
    UNDO = "undo"


ANSWERS = {
    ReviewKind.TEXT: (Decision.KEEP, Decision.DROP),
    ReviewKind.DUPLICATE: (Decision.SAME, Decision.DIFFERENT),
}
"""The decisions of each kind; of `label` any name, or `drop`."""


class Case(NamedTuple):
    """What is decided on: a picture, or a pair of them.

    Attributes
    ----------
    kind
        What is asked.
    sha256
        The picture; of a pair the one whose hash comes first.
    other
        The second picture of a pair.
    """

    kind: ReviewKind
    sha256: str
    other: str | None = None


@dataclass(frozen=True)
class Review:
    """One decision of one person.

    Attributes
    ----------
    kind
        What was asked.
    sha256
        SHA-256 of the picture's bytes, in hex.
    other
        The second picture of a pair; None of other kinds. The two are put in order.
    decision
        `keep` or `drop` (text), `same` or `different` (duplicate), a label or `drop` (label);
        `undo` takes the reviewer's last decision on the case back.
    reviewer
        Who decided.
    time
        When, in UTC, to the microsecond.
    score, threshold
        What was shown of the rule; None where it was hidden or there is none.
    note
        The reviewer's own words, or the name of a blind sample.

    Raises
    ------
    InputError
        If a value is none of these.
    """

    kind: ReviewKind
    sha256: str
    other: str | None
    decision: str
    reviewer: str
    time: datetime
    score: float | None = None
    threshold: float | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        """Put the values in their one form, and refuse what is none."""
        put = object.__setattr__
        put(self, "kind", _kind(self.kind))
        put(self, "decision", str(self.decision))
        if self.other is not None and self.other < self.sha256:
            first, second = self.other, self.sha256
            put(self, "sha256", first)
            put(self, "other", second)
        put(self, "time", _utc(self.time))
        _check_case(self)
        _check_decision(self)
        _check_name("reviewer", self.reviewer)
        for name in ("score", "threshold"):
            put(self, name, _number(name, getattr(self, name)))
        put(self, "note", self.note or None)
        if self.note and len(self.note) > MAX_NOTE:
            raise InputError(f"note: has more than {MAX_NOTE:,} characters; shorten it")
        if self.note and not is_text(self.note):
            raise InputError(f"note: {quoted(self.note)} is no text; correct it")

    @property
    def case(self) -> Case:
        """What was decided on."""
        return Case(self.kind, self.sha256, self.other)

    @property
    def undoes(self) -> bool:
        """Whether it takes an earlier decision back."""
        return self.decision == Decision.UNDO

    def at(self, time: datetime) -> Self:
        """Return the same review at another time."""
        return replace(self, time=time)


def _kind(given: str) -> ReviewKind:
    try:
        return ReviewKind(given)
    except ValueError:
        kinds = ", ".join(ReviewKind)
        raise InputError(f"kind: {quoted(given)} is none of {kinds}") from None


def _utc(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise InputError(
            f"time: {time.isoformat()} has no time zone; write it such as 2026-01-31T12:00:00Z"
        )
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise InputError(f"time: {time.isoformat()} is out of range") from None


def _check_case(review: Review) -> None:
    """Refuse names that are no hashes, and a pair where one picture is meant."""
    is_pair = review.kind == ReviewKind.DUPLICATE
    names = {"sha256": review.sha256} | ({"other": review.other} if is_pair else {})
    for name, value in names.items():
        if value is None or not HASH.fullmatch(value):
            raise InputError(f"{name}: {quoted(value)} is no SHA-256 of 64 hex digits, lower case")
    if is_pair and review.sha256 == review.other:
        raise InputError("other: is the picture itself; a pair has two pictures")
    if not is_pair and review.other is not None:
        raise InputError(f"other: is for kind duplicate alone, and this is {review.kind}")


def _check_decision(review: Review) -> None:
    """Refuse an answer to another question."""
    if review.undoes:
        return
    answers = ANSWERS.get(review.kind)
    if answers is None:
        _check_name("decision", review.decision)
    elif review.decision not in answers:
        given = quoted(review.decision)
        raise InputError(
            f"decision: {given} is none of {', '.join(answers)} or undo, as kind is {review.kind}"
        )


def _check_name(column: str, name: str) -> None:
    """Refuse what no list of names can show."""
    if not name.strip() or name != name.strip():
        raise InputError(f"{column}: {quoted(name)} is empty or has blanks around it")
    if len(name) > LONGEST or not name.isprintable():
        raise InputError(
            f"{column}: {quoted(name)} is no name of at most {LONGEST} printable characters"
        )


def _number(column: str, value: float | None) -> float | None:
    """Return a number as a float; one that is not finite stands for none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{column}: {quoted(value)} is no number")
    try:
        number = float(value)
    except OverflowError:  # a whole number beyond all floats
        raise InputError(f"{column}: {quoted(value)} is out of range") from None
    return number if math.isfinite(number) else None
