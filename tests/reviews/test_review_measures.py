"""Agreement, blind samples and their estimates, against figures of the literature and by trial."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.reviews.making import ANNA, BEN, review
from tests.stages.tables import manifest
from tests.stages.tables import sha as named
from webemo_curate.errors import InputError
from webemo_curate.intervals import Estimate, ratio_estimate, share_estimate
from webemo_curate.manifest import Origin
from webemo_curate.reviews.blind_sample import (
    BlindSample,
    draw_sample,
    estimate_filter,
    recorded_sample,
)
from webemo_curate.reviews.review import Review
from webemo_curate.reviews.reviewers_agreement import agreements, kappa
from webemo_curate.verdicts import TextVerdict
from webemo_curate.workspace import Workspace

TEXT, CLEAN = TextVerdict.TEXT, TextVerdict.CLEAN
COHEN = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15


def test_kappas_variance_is_that_of_the_delta_method() -> None:
    found = kappa(COHEN)
    assert found is not None
    assert found.value == pytest.approx(0.4)
    shares = np.array([20, 5, 10, 15]) / 50  # yes yes, yes no, no yes, no no
    steps = np.eye(4) * 1e-6
    slope = np.array([_kappa(shares + step) - _kappa(shares - step) for step in steps]) / 2e-6
    variance = (np.diag(shares) - np.outer(shares, shares)) / 50
    error = float(np.sqrt(slope @ variance @ slope))
    assert found.high - found.value == pytest.approx(1.959964 * error, rel=1e-4)


def _kappa(shares: NDArray[np.float64]) -> float:
    """Return kappa of a table of two answers, of shares that need not add up to 1."""
    table = shares.reshape(2, 2)
    chance = float(table.sum(0) @ table.sum(1))
    return float((np.trace(table) - chance) / (1 - chance))


def test_kappas_interval_holds_by_trial() -> None:
    rng = np.random.default_rng(0)
    cells = [("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")]
    chances = np.array([0.35, 0.1, 0.1, 0.45])
    agreed, chance = 0.8, 0.45**2 + 0.55**2
    true = (agreed - chance) / (1 - chance)
    held = 0
    for counts in rng.multinomial(150, chances, 600):
        drawn = [cell for cell, n in zip(cells, counts.tolist(), strict=True) for _ in range(n)]
        found = kappa(drawn)
        held += found is not None and found.low <= true <= found.high
    assert 0.92 <= held / 600 <= 0.98


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), max_size=40))
def test_kappa_stays_within_its_bounds(answers: list[tuple[str, str]]) -> None:
    found = kappa(answers)
    if found is None:
        assert len({*answers}) <= 1
    else:
        assert -1 <= found.low <= found.value <= found.high <= 1
        assert found == kappa([(b, a) for a, b in answers]) or found.value == pytest.approx(
            kappa([(b, a) for a, b in answers]).value  # type: ignore[union-attr]
        )


def test_agreement_is_told_by_kind_and_on_shared_cases_alone() -> None:
    entries = [
        review("keep", 1),
        review("keep", 1, reviewer=BEN),
        review("drop", 2, seconds=1),
        review("keep", 2, reviewer=BEN),
        review("drop", 2, reviewer=BEN, seconds=2),  # the last one wins
        review("keep", 3),
        review("same", 1, 2, kind="duplicate"),
        review("different", 2, 1, kind="duplicate", reviewer=BEN),
    ]
    pairs, text = agreements(entries)
    assert (text.kind, text.first, text.second) == ("text", ANNA, BEN)
    assert (text.cases, text.agreed, text.kappa and text.kappa.value) == (2, 2, 1.0)
    assert (pairs.kind, pairs.cases, pairs.agreed) == ("duplicate", 1, 0)
    assert "agree on 2 of 2; kappa 1.00" in text.line()


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 2000), st.integers(1, 2000))
def test_a_ratio_lies_in_its_interval(x: int, y: int, many: int, few: int) -> None:
    above, below = (
        Estimate(*(count * value for value in share_estimate(k, 50)))
        for k, count in ((x, many), (y, few))
    )
    found = ratio_estimate(above, below)
    assert 0 <= found.low <= found.high
    assert found.low <= found.value * (1 + 1e-9)
    assert found.high >= found.value * (1 - 1e-9) or not (x or y)


@pytest.mark.parametrize(
    ("dropped", "kept", "p", "q", "size"),
    [(300, 2000, 0.9, 0.02, 200), (60, 700, 0.6, 0.1, 60), (500, 5000, 0.97, 0.004, 400)],
)
def test_the_intervals_hold_the_truth_as_often_as_they_say(
    dropped: int, kept: int, p: float, q: float, size: int
) -> None:
    rng = np.random.default_rng(1)
    held = Counter[str]()
    rounds = 400
    half = size // 2
    names = {TEXT: tuple(map(named, range(half))), CLEAN: tuple(map(named, range(half, size)))}
    sample = BlindSample(size, 0, {TEXT: dropped, CLEAN: kept}, names)
    recall = dropped * p / (dropped * p + kept * q)
    for _ in range(rounds):
        bears = rng.random(size) < [p] * half + [q] * half
        found = estimate_filter(sample, _decided(sample, bears))
        assert found.precision
        assert found.recall
        held["precision"] += found.precision.low <= p <= found.precision.high
        held["recall"] += found.recall.low <= recall <= found.recall.high
    assert held["precision"] / rounds >= 0.92
    assert held["recall"] / rounds >= 0.92


def _decided(sample: BlindSample, bears: NDArray[np.bool_]) -> list[Review]:
    flat = [name for verdict in (TEXT, CLEAN) for name in sample.drawn[verdict]]
    start = review("keep").time
    return [
        Review("text", name, None, "drop" if bad else "keep", ANNA, start, note=sample.note)
        for name, bad in zip(flat, bears.tolist(), strict=True)
    ]


@pytest.fixture
def filtered(tmp_path: Path) -> Workspace:
    """A workspace of 40 dropped, 160 kept and 5 unreadable pictures; one is kept by a person."""
    verdicts = ["text"] * 39 + ["clean"] * 160 + ["unreadable"] * 5
    rows = [{"sha256": named(n), "verdict": verdict} for n, verdict in enumerate(verdicts)]
    rows.append({"sha256": named("kept"), "verdict": "clean", "ruled": "text", "by": "review"})
    workspace = Workspace(tmp_path / "ws")
    workspace.write("text", manifest("text", rows), Origin("text", 1, {}, {}))
    return workspace


def test_a_sample_is_half_of_each_verdict_and_stable(filtered: Workspace) -> None:
    small, large = draw_sample(filtered, 20), draw_sample(filtered, 40)
    assert [len(drawn) for drawn in small.drawn.values()] == [10, 10]
    assert small.images == {TEXT: 40, CLEAN: 160}  # by the rule's own verdict
    for verdict in (TEXT, CLEAN):
        assert large.drawn[verdict][:10] == small.drawn[verdict]
    assert draw_sample(filtered, 20) == small
    assert draw_sample(filtered, 20, seed=1).drawn != small.drawn
    shown = large.pictures()
    dropped = {*large.drawn[TEXT]}
    # What is shown tells no verdict by its place.
    assert 4 <= sum(name in dropped for name in shown[:20]) <= 16
    everything = draw_sample(filtered, 1000)
    assert len(everything.pictures()) == 200
    assert [len(drawn) for drawn in draw_sample(filtered, 150).drawn.values()] == [40, 110]
    with pytest.raises(InputError, match="--sample 0"):
        draw_sample(filtered, 0)


def test_a_sample_that_is_all_decided_gives_the_plain_shares(filtered: Workspace) -> None:
    sample = draw_sample(filtered, 1000)
    bears = np.array([True] * 30 + [False] * 10 + [True] * 8 + [False] * 152)
    entries = _decided(sample, bears)
    found = estimate_filter(sample, entries)
    assert found.precision
    assert found.recall
    assert found.precision.value == 30 / 40
    assert found.recall.value == pytest.approx(30 / 38)
    assert recorded_sample(entries) == (1000, 0)
    lines = found.lines()
    assert lines[0] == "200 of 200 pictures of the blind sample of 1000, seed 0 are decided"
    assert lines[1].startswith("precision 75.0% (95 % interval ")


def test_a_sample_without_decisions_claims_nothing(filtered: Workspace) -> None:
    found = estimate_filter(draw_sample(filtered, 20), [])
    assert (found.precision, found.recall) == (None, None)
    assert "too few" in found.lines()[1]
    assert recorded_sample([review("keep")]) is None


def test_nothing_missed_leaves_recall_below_one_in_its_interval(filtered: Workspace) -> None:
    sample = draw_sample(filtered, 40)
    found = estimate_filter(sample, _decided(sample, np.array([True] * 20 + [False] * 20)))
    assert found.recall
    assert found.recall.value == found.recall.high == 1
    assert 0 < found.recall.low < 0.9
