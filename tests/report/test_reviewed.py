"""What people decided, in the report: their sample, their agreement, and nothing without them."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

from tests.report.made_workspace import HOSTILE, fill
from tests.work import work_on
from webemo_curate.report.build import build_report
from webemo_curate.report.next_steps import next_steps
from webemo_curate.reviews.blind_sample import BlindSample, draw_sample
from webemo_curate.reviews.review import Review, ReviewKind
from webemo_curate.reviews.review_journal import ReviewJournal
from webemo_curate.verdicts import TextVerdict
from webemo_curate.workspace import Workspace

START = datetime(2026, 1, 1, tzinfo=UTC)


def report(workspace: Workspace) -> str:
    return Path(build_report(work_on(workspace))).read_text()


def section(page: str) -> str:
    """Return the words of the section."""
    found = re.search(r'<section id="reviewed".*?</section>', page, re.DOTALL)
    assert found
    return unescape(re.sub(r"<[^>]*>", " ", found[0]))


def decide(workspace: Workspace, reviewer: str, words: dict[str, str], note: str | None) -> None:
    with ReviewJournal(workspace) as journal:
        for place, (name, decision) in enumerate(words.items()):
            time = START + timedelta(seconds=place)
            journal.append(Review(ReviewKind.TEXT, name, None, decision, reviewer, time, note=note))


def answers(sample: BlindSample) -> dict[str, str]:
    """Say of one picture of each verdict, by turns, that the rule is wrong."""
    right = {TextVerdict.TEXT: "drop", TextVerdict.CLEAN: "keep"}
    wrong = {TextVerdict.TEXT: "keep", TextVerdict.CLEAN: "drop"}
    return {
        name: (wrong if place == 0 else right)[verdict]
        for verdict, names in sample.drawn.items()
        for place, name in enumerate(names)
    }


def test_without_decisions_there_is_no_section_and_no_link_to_it(workspace: Workspace) -> None:
    fill(workspace)
    assert "reviewed" not in report(workspace)


def test_a_blind_sample_and_two_reviewers_are_summed_up_and_escaped(workspace: Workspace) -> None:
    fill(workspace)
    sample = draw_sample(workspace, 8)
    said = answers(sample)
    decide(workspace, "ann", said, sample.note)
    disputed = dict.fromkeys([*said][:1], "drop")  # of ann's word `keep`
    decide(workspace, HOSTILE, disputed | dict.fromkeys([*said][1:3], "drop"), None)
    page = report(workspace)
    assert page.count("<script") == 1
    assert 'href="#reviewed"' in page
    words = " ".join(section(page).split())
    assert "text 8 1" in words
    assert "8 of 8 pictures of the blind sample of 8, seed 0 are decided" in words
    assert re.search(r"precision \d+\.\d% \(95 % interval \d+\.\d% to \d+\.\d%\)", words)
    assert re.search(r"recall \d+\.\d% \(95 % interval \d+\.\d% to \d+\.\d%\)", words)
    first, second = sorted(("ann", HOSTILE))
    assert f"text: {first} and {second} agree on 2 of 3" in words


def test_decisions_without_a_sample_name_the_command_for_one(workspace: Workspace) -> None:
    names = fill(workspace)
    decide(workspace, "ann", {names[0]: "keep"}, None)
    words = section(report(workspace))
    assert "review --sample 200" in words
    assert "No case was decided by two reviewers" in words


def test_no_command_of_the_page_has_a_place_to_be_filled_in(
    workspace: Workspace, tmp_path: Path
) -> None:
    empty = Workspace(tmp_path / "empty")
    (begin,) = next_steps(empty)
    assert "--lists webemo" in begin.command
    fill(workspace)
    for place in (empty, workspace):
        for command in re.findall(r"<code>(curate [^<]*)</code>", report(place)):
            typed = unescape(command).split(" --workspace ")[0]
            assert not re.search(r"\b[A-Z]{3,}\b", typed), typed
