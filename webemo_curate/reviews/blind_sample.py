"""A blind sample of the text filter's verdicts, and what decisions on it say of the filter."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from webemo_curate.errors import InputError
from webemo_curate.intervals import Estimate, ratio_estimate, share_estimate
from webemo_curate.reviews.decided_reviews import ruled
from webemo_curate.reviews.review import Decision, Review, ReviewKind
from webemo_curate.reviews.review_journal import ReviewJournal
from webemo_curate.reviews.standing import deciding
from webemo_curate.sampling import hash_order
from webemo_curate.verdicts import TextVerdict
from webemo_curate.workspace import Workspace

PURPOSE = "blind sample"
NOTE = re.compile(r"blind sample of (\d{1,9}), seed (-?\d{1,18})")
STRATA = (TextVerdict.TEXT, TextVerdict.CLEAN)
"""The verdicts that are sampled; what no engine could read is no word on the filter."""


@dataclass(frozen=True)
class BlindSample:
    """Pictures to be decided without seeing the rule's verdict.

    Attributes
    ----------
    size, seed
        What was asked for: the same two draw the same pictures of the same verdicts.
    images
        How many pictures have each verdict of the rule.
    drawn
        The pictures drawn of each verdict, in the draw's order.
    """

    size: int
    seed: int
    images: Mapping[TextVerdict, int]
    drawn: Mapping[TextVerdict, tuple[str, ...]]

    @property
    def note(self) -> str:
        """The note of decisions on it, by which it is found again; see `recorded_sample`."""
        return f"{PURPOSE} of {self.size}, seed {self.seed}"

    def pictures(self) -> list[str]:
        """Return the pictures in the order in which they are shown: it tells no verdict."""
        names = sorted(name for drawn in self.drawn.values() for name in drawn)
        order = np.argsort(hash_order(self.seed, PURPOSE, names), kind="stable")
        return [names[place] for place in order]


@dataclass(frozen=True)
class FilterEstimate:
    """How well the text filter does, by a blind sample.

    Attributes
    ----------
    sample
        What was drawn.
    decided
        How many pictures drawn of each verdict a person has decided.
    bearing
        How many of those bear text, by the person's word.
    precision
        Share of the pictures dropped as text that bear text; None before any was decided.
    recall
        Share of the pictures bearing text that are dropped; None before some of each verdict were.
    """

    sample: BlindSample
    decided: Mapping[TextVerdict, int]
    bearing: Mapping[TextVerdict, int]
    precision: Estimate | None
    recall: Estimate | None

    def lines(self) -> list[str]:
        """Return the estimate in words."""
        done, size = sum(self.decided.values()), len(self.sample.pictures())
        said = [f"{done} of {size} pictures of the {self.sample.note} are decided"]
        for name, estimate in (("precision", self.precision), ("recall", self.recall)):
            if estimate is None:
                said.append(f"{name}: too few are decided to say")
            else:
                low, high = f"{estimate.low:.1%}", f"{estimate.high:.1%}"
                said.append(f"{name} {estimate.value:.1%} (95 % interval {low} to {high})")
        return said


def draw_sample(workspace: Workspace, size: int, seed: int = 0) -> BlindSample:
    """Draw a sample, half of it from each verdict of the rule as far as there are so many.

    Recall needs many pictures that were kept, precision many that were dropped. A picture's place
    in the draw follows from its hash alone: a moved threshold keeps most of a sample, and a larger
    sample holds the smaller one.

    Parameters
    ----------
    workspace : Workspace
        Text must have been filtered.
    size : int
        Pictures in all.
    seed : int, default 0
        Of the draw.

    Returns
    -------
    BlindSample
        Of fewer pictures if there are not so many.

    Raises
    ------
    InputError
        If the size is below 1, or there is no text manifest.
    """
    if size < 1:
        raise InputError(f"--sample {size}: give the number of pictures, 1 or more")
    text = workspace.read("text", ["sha256", "verdict", "ruled"])
    verdicts = ruled(text)
    strata = {
        verdict: text["sha256"].filter(pc.equal(verdicts, str(verdict))).to_pylist()
        for verdict in STRATA
    }
    images = {verdict: len(names) for verdict, names in strata.items()}
    shares = _shares(images, size)
    drawn = {verdict: _first(names, shares[verdict], seed) for verdict, names in strata.items()}
    return BlindSample(size, seed, images, drawn)


def estimate_filter(sample: BlindSample, entries: Iterable[Review]) -> FilterEstimate:
    """Estimate the filter's precision and recall from what people decided of a sample.

    Each verdict's share of text-bearing pictures has its Wilson interval. With N pictures dropped,
    a share p of which bears text, and M kept, a share q, recall is Np / (Np + Mq) = 1 / (1 +
    Mq/Np) (Cochran 1977, Sampling Techniques, ch. 5: strata weighted by their sizes); the interval
    of Mq/Np is `ratio_estimate`'s. Pictures not decided are taken to be like those that are.

    Parameters
    ----------
    sample : BlindSample
        What was drawn.
    entries : iterable of Review
        The journal's entries.

    Returns
    -------
    FilterEstimate
        The estimates, with what they rest on.
    """
    said = {r.sha256: r.decision for r in deciding(entries) if r.kind == ReviewKind.TEXT}
    words = {v: [said[n] for n in names if n in said] for v, names in sample.drawn.items()}
    decided = {verdict: len(each) for verdict, each in words.items()}
    bearing = {verdict: each.count(Decision.DROP) for verdict, each in words.items()}
    shares = {v: share_estimate(bearing[v], decided[v]) for v in STRATA if decided[v]}
    precision = shares.get(TextVerdict.TEXT)
    return FilterEstimate(sample, decided, bearing, precision, _recall(sample, shares))


def recorded_sample(entries: Iterable[Review]) -> tuple[int, int] | None:
    """Return size and seed of the sample that was decided on last; None if none was."""
    noted = [r for r in deciding(entries) if r.note and NOTE.fullmatch(r.note)]
    if not noted:
        return None
    found = NOTE.fullmatch(max(noted, key=lambda review: review.time).note or "")
    return (int(found[1]), int(found[2])) if found else None


def recorded_estimate(workspace: Workspace) -> FilterEstimate | None:
    """Estimate the filter by the sample that was decided on last; None if none was."""
    entries = ReviewJournal(workspace).all()
    asked = recorded_sample(entries)
    return asked and estimate_filter(draw_sample(workspace, *asked), entries)


def _recall(sample: BlindSample, shares: Mapping[TextVerdict, Estimate]) -> Estimate | None:
    """Return the share of text-bearing pictures that were dropped."""
    nothing = Estimate(0.0, 0.0, 0.0)
    parts = []
    for verdict in STRATA:
        count = sample.images[verdict]
        share = shares.get(verdict) if count else nothing
        if share is None:
            return None
        parts.append(Estimate(*(count * value for value in share)))
    dropped, missed = parts
    if not dropped.value and not missed.value:
        return None
    ratio = ratio_estimate(missed, dropped)
    return Estimate(*(1 / (1 + value) for value in (ratio.value, ratio.high, ratio.low)))


def _shares(images: Mapping[TextVerdict, int], size: int) -> dict[TextVerdict, int]:
    """Divide a sample's size; what one verdict has too few pictures for, the other gets."""
    text, clean = (images[verdict] for verdict in STRATA)
    of_text = min(text, max(size - size // 2, size - clean))
    return dict(zip(STRATA, (of_text, min(clean, size - of_text)), strict=True))


def _first(names: list[str], count: int, seed: int) -> tuple[str, ...]:
    """Return the first names in the order of the draw."""
    order = np.argsort(hash_order(seed, PURPOSE, names), kind="stable")[:count]
    return tuple(names[place] for place in order)
