"""The queue of cases that a page asks for: filtered by whole columns, each with what it shows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from webemo_curate.review_page.case_facts import CaseFacts, gather_facts
from webemo_curate.review_page.cases import (
    doubt_cases,
    duplicate_cases,
    label_cases,
    nearest_first,
    text_cases,
)
from webemo_curate.reviews.review import Case, Decision, ReviewKind
from webemo_curate.runner.work_context import WorkContext

if TYPE_CHECKING:
    import pandas as pd

DIGITS: Final = 4
"""Decimals of scores that a page is told."""

REMOVING: Final = (Decision.DROP, Decision.SAME)
"""Answers by which a picture leaves."""


@dataclass(frozen=True)
class CaseFilter:
    """Which cases are wanted; a field that is empty lets all pass.

    Attributes
    ----------
    kind
        `text`, `duplicate` or `label`.
    rule
        `leaves` or `stays`: what the rule does with the picture.
    """

    kind: str = ""
    rule: str = ""


class CaseQueue:
    """Cases by number, in the order in which they are asked.

    Parameters
    ----------
    cases : DataFrame
        Columns `cases.CASE_COLUMNS`, numbered from 0.
    facts : CaseFacts
        What they are shown with.
    blind : bool, default False
        Whether what the rule says, read and measured is hidden.
    """

    def __init__(self, cases: "pd.DataFrame", facts: CaseFacts, *, blind: bool = False) -> None:
        self.blind, self.facts = blind, facts
        self._cases = cases
        self._kinds = cases["kind"].to_numpy(object)
        self._leaves = cases["rule"].isin(REMOVING).to_numpy()
        columns = (cases[name].tolist() for name in ("kind", "sha256", "other"))
        self.cases = [_case(*row) for row in zip(*columns, strict=True)]
        self._numbers = {case: number for number, case in enumerate(self.cases)}

    def __len__(self) -> int:
        return len(self.cases)

    def number(self, case: Case) -> int | None:
        """Return the number of a case; None if it is not in the queue."""
        return self._numbers.get(case)

    def kinds(self) -> dict[str, int]:
        """Return how many cases of each kind there are."""
        return {str(kind): int((self._kinds == kind).sum()) for kind in ReviewKind}

    def chosen(self, wanted: CaseFilter) -> list[int]:
        """Return the numbers of the cases that a filter lets pass, in order."""
        passes = np.ones(len(self), bool)
        if wanted.kind:
            passes &= self._kinds == wanted.kind
        if wanted.rule and not self.blind:
            passes &= self._leaves == (wanted.rule == "leaves")
        return np.flatnonzero(passes).tolist()

    def shown_score(self, number: int) -> tuple[float | None, float | None]:
        """Return score and threshold as they are shown of a case; None where they are hidden."""
        if self.blind:
            return None, None
        row = self._cases.iloc[number]
        return _rounded(row["score"]), _rounded(row["threshold"])

    def answers(self, number: int) -> list[str]:
        """Return the decisions that a case takes."""
        case = self.cases[number]
        if case.kind == ReviewKind.TEXT:
            return [Decision.KEEP, Decision.DROP]
        if case.kind == ReviewKind.DUPLICATE:
            return [Decision.SAME, Decision.DIFFERENT]
        listed = [label for label, _ in self.facts.votes.get(case.sha256, [])]
        further = self.facts.suggested.get(case.sha256, [])
        return [*dict.fromkeys([*listed, *further]), Decision.DROP]

    def details(self, number: int) -> dict[str, Any]:
        """Return what the page shows of a case, as JSON values."""
        row = self._cases.iloc[number]
        score, threshold = self.shown_score(number)
        shown: dict[str, Any] = {
            "number": number,
            "kind": row["kind"],
            "pictures": [self._picture(name) for name in self._shown_hashes(row)],
            "answers": self.answers(number),
        }
        if row["kind"] == ReviewKind.LABEL:
            votes = self.facts.votes.get(row["sha256"], [])
            shown["labels"] = [{"label": label, "lines": lines} for label, lines in votes]
        if not self.blind:
            said = {"measure": row["measure"], "rule": row["rule"]}
            shown |= said | {"score": score, "threshold": threshold, **self._read(row)}
        return shown

    def _shown_hashes(self, row: "pd.Series[Any]") -> list[str]:
        if row["kind"] == ReviewKind.LABEL:
            return self.facts.members.get(row["sha256"], [row["sha256"]])
        return [row["sha256"]] + ([row["other"]] if row["kind"] == ReviewKind.DUPLICATE else [])

    def _picture(self, sha256: str) -> dict[str, Any]:
        known = self.facts.pictures.get(sha256)
        size = {"width": known.width, "height": known.height} if known else {}
        return {"sha256": sha256, "url": self.facts.urls.get(sha256), **size}

    def _read(self, row: "pd.Series[Any]") -> dict[str, Any]:
        """Return the boxes of a text case, of the frame that has the surest."""
        boxes = self.facts.boxes.get(row["sha256"], []) if row["kind"] == ReviewKind.TEXT else []
        if not boxes:
            return {"boxes": [], "frame": None}
        frame = max(boxes, key=lambda box: box["confidence"])["frame"]
        return {"frame": frame, "boxes": [_box(box) for box in boxes if box["frame"] == frame]}


def build_queue(work: WorkContext, kinds: tuple[ReviewKind, ...], margin: float) -> CaseQueue:
    """Make the queue of what is near a threshold.

    Parameters
    ----------
    work : WorkContext
        Its workspace has the manifests of the kinds.
    kinds : tuple of ReviewKind
        Which are asked.
    margin : float
        How near; conflicts of labels and doubted ones are all asked.

    Returns
    -------
    CaseQueue
        The most uncertain first.
    """
    import pandas as pd

    makers = {
        ReviewKind.TEXT: lambda: text_cases(work.workspace, margin),
        ReviewKind.DUPLICATE: lambda: duplicate_cases(work.workspace, work.config.dedup, margin),
        ReviewKind.LABEL: lambda: _label_cases(work),
    }
    cases = nearest_first(pd.concat([makers[kind]().astype(object) for kind in kinds]))
    return CaseQueue(cases, gather_facts(work.workspace, cases))


def _label_cases(work: WorkContext) -> "pd.DataFrame":
    """Return conflicts and doubted labels; of a picture that is both, the doubt says more."""
    import pandas as pd

    doubted = doubt_cases(work.workspace)
    conflicts = label_cases(work.workspace)
    others = conflicts[~conflicts["sha256"].isin(doubted["sha256"])]
    return pd.concat([doubted.astype(object), others.astype(object)])


def _case(kind: str, sha256: str, other: str | None) -> Case:
    """Return a case in the form that reviews have: a pair in the order of the hashes."""
    if kind != ReviewKind.DUPLICATE or other is None:
        return Case(ReviewKind(kind), sha256)
    first, second = sorted((sha256, other))
    return Case(ReviewKind.DUPLICATE, first, second)


def _rounded(value: float) -> float | None:
    return round(float(value), DIGITS) if np.isfinite(value) else None


def _box(box: dict[str, Any]) -> dict[str, Any]:
    return {
        "points": [round(float(value), 1) for value in box["polygon"]],
        "text": box["text"],
        "confidence": _rounded(box["confidence"]),
        "support": None if box["support"] is None else _rounded(box["support"]),
    }
