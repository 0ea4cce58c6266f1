"""The journal: what was appended is there, whatever ends the process."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reviews.making import ANNA, BEN, START, review, reviews, sha
from webemo_curate.errors import CurateError, InputError
from webemo_curate.reviews.review import Case, Review, ReviewKind
from webemo_curate.reviews.review_journal import SEGMENTS, ReviewJournal
from webemo_curate.reviews.standing import current, deciding
from webemo_curate.workspace import Workspace

CASE = Case(ReviewKind.TEXT, sha(1))


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "ws")


def _appended(workspace: Workspace, entries: Iterable[Review]) -> list[Review]:
    with ReviewJournal(workspace) as journal:
        return [journal.append(entry) for entry in entries]


def _model(entries: Iterable[Review]) -> dict[tuple[str, str], str]:
    """Say what stands, by a plain walk over entries that come in the order of time."""
    stacks: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        stack = stacks.setdefault((entry.sha256, entry.reviewer), [])
        if entry.decision == "undo":
            del stack[-1:]
        else:
            stack.append(entry.decision)
    return {key: stack[-1] for key, stack in stacks.items() if stack}


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sessions=st.lists(st.lists(reviews(), max_size=6), max_size=4))
def test_the_last_one_wins_over_sessions(
    sessions: list[list[Review]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    workspace = Workspace(tmp_path_factory.mktemp("journal") / "ws")
    for entries in sessions:
        _appended(workspace, entries)
    flat = [entry for entries in sessions for entry in entries]
    stands = {(each.sha256, each.reviewer): each.decision for each in current_of(workspace)}
    assert stands == _model(flat)  # whatever their clock said: each was made after the one before
    assert len(ReviewJournal(workspace).all()) == len(flat)


def current_of(workspace: Workspace) -> list[Review]:
    return ReviewJournal(workspace).current()


@given(entries=st.lists(reviews(), unique=True), parts=st.integers(0, 10))
def test_merged_journals_say_the_same_in_any_order(entries: list[Review], parts: int) -> None:
    distinct = list({(e.time, e.case, e.reviewer): e for e in entries}.values())
    turned = distinct[parts:] + distinct[:parts]
    assert current(turned) == current(distinct) or {*current(turned)} == {*current(distinct)}
    decided = {each.case: each for each in current(sorted(distinct, key=lambda e: e.time))}
    for each in deciding(distinct):
        assert each.time == decided[each.case].time


def test_an_undo_is_an_entry_of_its_own(place: Workspace) -> None:
    with ReviewJournal(place) as journal:
        journal.append(review("keep"))
        journal.append(review("drop"))
        undone = journal.undo(CASE, ANNA)
        assert undone is not None
        assert undone.decision == "drop"
        assert [each.decision for each in journal.current()] == ["keep"]
        assert journal.undo(CASE, ANNA)
        assert journal.undo(CASE, ANNA) is None
        assert journal.undo(CASE, BEN) is None
    again = ReviewJournal(place)
    assert [each.decision for each in again.all()] == ["keep", "drop", "undo", "undo"]
    assert again.deciding() == []


def test_an_entry_is_on_the_disk_before_the_session_ends(place: Workspace) -> None:
    with ReviewJournal(place) as journal:
        made = journal.append(review("keep"))
        assert ReviewJournal(place).all() == [made]
        assert not place.has("reviews")
    assert place.has("reviews")
    assert not place.store.keys(SEGMENTS)
    assert ReviewJournal(place).all() == [made]


KILLED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from webemo_curate.reviews.review_journal import ReviewJournal
from webemo_curate.reviews.review import Review
from webemo_curate.workspace import Workspace

with ReviewJournal(Workspace(Path(sys.argv[1]))) as journal:
    for number in range(10_000):
        journal.append(Review("text", f"{number:064x}", None, "drop", "anna", datetime.now(UTC)))
        print(number, flush=True)
"""


def test_a_kill_loses_nothing_that_was_acknowledged(place: Workspace) -> None:
    for session in range(2):
        command = [sys.executable, "-c", textwrap.dedent(KILLED), str(place.root)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            for line in process.stdout:
                if int(line) == 20 + session:
                    break
            os.kill(process.pid, signal.SIGKILL)
            rest = process.stdout.read().split()
        told = int(rest[-1]) if rest else 20 + session
        kept = {int(each.sha256, 16) for each in ReviewJournal(place).deciding()}
        assert set(range(told + 1)) <= kept
    with ReviewJournal(place) as journal:  # a later session goes on, and settles what was left
        journal.append(review("keep", 20_000))
    assert len(ReviewJournal(place).deciding()) == len(kept) + 1
    assert not place.store.keys(SEGMENTS)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=st.lists(reviews(), min_size=1, max_size=5), cut=st.integers(1, 60))
def test_a_torn_last_line_is_none(
    entries: list[Review], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    workspace = Workspace(tmp_path_factory.mktemp("torn") / "ws")
    journal = ReviewJournal(workspace)
    journal.__enter__()  # left as a kill leaves it: not ended
    written = [journal.append(entry) for entry in entries]
    (key,) = workspace.store.keys(SEGMENTS)
    path = workspace.root / key
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size - cut)
    assert ReviewJournal(workspace).all() == written[:-1]
    journal._stack.close()  # type: ignore[union-attr]
    again = _appended(workspace, [review("keep", 9)])
    assert ReviewJournal(workspace).all() == written[:-1] + again


def test_a_damaged_line_is_told_and_not_skipped(place: Workspace) -> None:
    segment = place.root / SEGMENTS / "20260131T120000-0.jsonl"
    segment.parent.mkdir(parents=True)
    segment.write_text('{"kind": "text"}\n')
    with pytest.raises(InputError, match=r"jsonl, line 1: .*mend the line or remove it"):
        ReviewJournal(place).all()


def test_a_table_that_is_none_is_told(place: Workspace) -> None:
    path = place.manifest_path("reviews")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"reviews.parquet: cannot be read as reviews"):
        ReviewJournal(place).all()


def test_one_writer_at_a_time(place: Workspace) -> None:
    with (
        ReviewJournal(place),
        pytest.raises(CurateError, match="another curate command"),
        ReviewJournal(place),
    ):
        pass
    with pytest.raises(RuntimeError, match="holds the lock"):
        ReviewJournal(place).append(review("keep"))


def test_a_full_disk_decides_nothing(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with ReviewJournal(place) as journal:
        first = journal.append(review("keep"))
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            with pytest.raises(CurateError, match="free some space"):
                journal.append(review("drop"))
        assert journal.all() == [first]
        assert ReviewJournal(place).all() == [first]
        second = journal.append(review("drop", 2))
    assert ReviewJournal(place).all() == [first, second]


def test_merging_twice_adds_nothing(place: Workspace) -> None:
    entries = [review("keep"), review("drop", reviewer=BEN, seconds=1)]
    with ReviewJournal(place) as journal:
        assert journal.merge(entries) == 2
        assert journal.merge(entries[::-1]) == 0
    with ReviewJournal(place) as journal:
        assert journal.merge(entries) == 0
        assert [each.reviewer for each in journal.deciding()] == [BEN]
        (conflict,) = journal.conflicts()
    assert [each.decision for each in conflict.reviews] == ["keep", "drop"]


def test_a_clock_that_goes_back_does_not_lose_the_last_word(place: Workspace) -> None:
    with ReviewJournal(place) as journal:
        journal.append(review("keep", seconds=60))
        journal.append(review("drop", seconds=0))
        (stands,) = journal.current()
    assert stands.decision == "drop"
    assert stands.time > START


def test_reviews_on_an_object_store(url: str, tmp_path: Path) -> None:
    from webemo_curate.storage.bucket import BucketStore

    ours = Workspace(BucketStore(url, tmp_path / "a"))
    with ReviewJournal(ours) as journal:
        made = [journal.append(review("keep", number)) for number in range(3)]
        # Another machine sees them as soon as they are appended.
        assert ReviewJournal(Workspace(BucketStore(url, tmp_path / "b"))).all() == made
    other = Workspace(BucketStore(url, tmp_path / "c"))
    assert ReviewJournal(other).all() == made
    assert not other.store.keys(SEGMENTS)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kind": "taste"}, "kind: 'taste' is none of text, duplicate, label"),
        ({"sha256": "ABC"}, "sha256: 'ABC' is no SHA-256"),
        ({"other": sha(2)}, "other: is for kind duplicate alone"),
        ({"kind": "duplicate"}, "other: None is no SHA-256"),
        ({"kind": "duplicate", "other": sha(1)}, "other: is the picture itself"),
        ({"decision": "same"}, "decision: 'same' is none of keep, drop or undo"),
        ({"kind": "label", "decision": " "}, "decision: ' ' is empty"),
        ({"reviewer": "a\nb"}, "reviewer: .* printable"),
        ({"time": START.replace(tzinfo=None)}, "time: .* has no time zone"),
        ({"score": True}, "score: True is no number"),
        ({"note": "x" * 3000}, "note: has more than"),
    ],
)
def test_what_is_no_review_is_refused(changed: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(review("keep"), **changed)  # type: ignore[arg-type]


def test_a_pair_is_one_case_either_way_round() -> None:
    one, two = (review("same", *pair, kind="duplicate") for pair in ((1, 2), (2, 1)))
    assert one == two
    assert (one.sha256, one.other) == (sha(1), sha(2))
