"""The agreement of reviewers: Cohen's kappa of each two of them, by kind of question."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from webemo_curate.intervals import Z_95, Estimate
from webemo_curate.reviews.review import Case, Review, ReviewKind
from webemo_curate.reviews.standing import current

Answers = Sequence[tuple[str, str]]
"""The two reviewers' answers, a pair a case."""


@dataclass(frozen=True)
class ReviewersAgreement:
    """How far two reviewers agree on the cases of a kind that both decided.

    Attributes
    ----------
    kind
        What was asked.
    first, second
        The reviewers, by name.
    cases
        How many both decided.
    agreed
        How many of them alike.
    kappa
        Cohen's, with its interval; None where both always give one answer and chance explains all.
    """

    kind: ReviewKind
    first: str
    second: str
    cases: int
    agreed: int
    kappa: Estimate | None

    def line(self) -> str:
        """Return it in words."""
        who = f"{self.kind}: {self.first} and {self.second} agree on {self.agreed} of {self.cases}"
        if self.kappa is None:
            return f"{who}; kappa is not defined, as both gave one answer alone"
        low, high = f"{self.kappa.low:.2f}", f"{self.kappa.high:.2f}"
        return f"{who}; kappa {self.kappa.value:.2f} (95 % interval {low} to {high})"


def agreements(entries: Iterable[Review]) -> list[ReviewersAgreement]:
    """Compare each two reviewers on what both decided.

    Parameters
    ----------
    entries : iterable of Review
        The journal's entries; each reviewer's standing decisions count.

    Returns
    -------
    list of ReviewersAgreement
        By kind, then by name; pairs who share no case are left out.
    """
    by_case: dict[Case, dict[str, str]] = defaultdict(dict)
    for review in current(entries):
        by_case[review.case][review.reviewer] = review.decision
    shared: dict[tuple[ReviewKind, str, str], list[tuple[str, str]]] = defaultdict(list)
    for case, said in by_case.items():
        for first, second in combinations(sorted(said), 2):
            shared[case.kind, first, second].append((said[first], said[second]))
    return [
        ReviewersAgreement(*key, len(answers), sum(a == b for a, b in answers), kappa(answers))
        for key, answers in sorted(shared.items())
    ]


def kappa(answers: Answers) -> Estimate | None:
    """Return Cohen's kappa (Cohen 1960) with its 95 % interval.

    The interval is that of the large-sample variance of Fleiss, Cohen and Everitt (1969), in the
    form of Bishop, Fienberg and Holland (1975, eq. 11.3-5): it has no width where all agree.

    Parameters
    ----------
    answers : sequence of (str, str)
        One pair a case.

    Returns
    -------
    Estimate or None
        Within -1 and 1; None if there is no case, or chance alone makes all answers agree.
    """
    if not answers:
        return None
    count = len(answers)
    cells = {pair: n / count for pair, n in Counter(answers).items()}
    first, second = (
        {name: n / count for name, n in Counter(side).items()}
        for side in zip(*answers, strict=True)
    )
    names = first.keys() | second.keys()
    agreed = sum(cells.get((name, name), 0.0) for name in names)
    chance = sum(first.get(name, 0.0) * second.get(name, 0.0) for name in names)
    if math.isclose(chance, 1.0):
        return None
    tilt = sum(
        cells.get((name, name), 0.0) * (first.get(name, 0.0) + second.get(name, 0.0))
        for name in names
    )
    spread = sum(p * (first.get(b, 0.0) + second.get(a, 0.0)) ** 2 for (a, b), p in cells.items())
    value = (agreed - chance) / (1 - chance)
    half = Z_95 * math.sqrt(_variance(agreed, chance, tilt, spread) / count)
    return Estimate(value, max(-1.0, value - half), min(1.0, value + half))


def _variance(agreed: float, chance: float, tilt: float, spread: float) -> float:
    """Return n times kappa's variance; the four sums are Bishop et al.'s thetas, in order."""
    left, rest = 1 - agreed, 1 - chance
    total = (
        agreed * left / rest**2
        + 2 * left * (2 * agreed * chance - tilt) / rest**3
        + left**2 * (spread - 4 * chance**2) / rest**4
    )
    return max(0.0, total)
