"""Cases from stored scores: those near the threshold, on both sides, the most uncertain first."""

from pathlib import Path

import pyarrow as pa
import pytest

from tests.cli.command import curate
from tests.review_page.made import CORRELATIONS, TEXT_MARGINS, VOTES
from tests.stages.tables import manifest
from webemo_curate.match_schemas import PAIRS
from webemo_curate.review_page.case_queue import CaseFilter, build_queue
from webemo_curate.review_page.cases import label_cases, text_cases
from webemo_curate.reviews.review import ReviewKind
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.workspace import Workspace


def test_text_cases_are_those_within_the_margin(cases: Workspace) -> None:
    for margin in (0.0, 0.025, 0.1, 1.0):
        found = text_cases(cases, margin)
        wanted = [m for m in TEXT_MARGINS if abs(m) <= margin]
        assert sorted(found["margin"].round(3)) == pytest.approx(sorted(wanted))
        assert ((found["margin"] >= 0) == (found["rule"] == "drop")).all()


def test_a_queue_asks_the_most_uncertain_first_whatever_their_kind(cases: Workspace) -> None:
    queue = build_queue(WorkContext(cases, cases.config()), (*ReviewKind,), 0.1)
    near = [m for m in TEXT_MARGINS if abs(m) <= 0.1]
    pairs = [c for c in CORRELATIONS if abs(c - 0.8) <= 0.1]
    assert queue.kinds() == {"text": len(near), "duplicate": len(pairs), "label": len(VOTES)}
    away = [
        abs(score - threshold)
        for score, threshold in (queue.shown_score(number) for number in range(len(queue)))
        if score is not None and threshold is not None
    ]
    assert away == pytest.approx(sorted(away), abs=1e-3)
    leaves, stays = (queue.chosen(CaseFilter("text", rule)) for rule in ("leaves", "stays"))
    assert len(leaves) == len(stays) == len(near) / 2


def test_a_case_says_what_the_rule_said_also_where_a_person_said_otherwise(
    cases: Workspace,
) -> None:
    by_rule, info = text_cases(cases, 1.0), cases.info("text")
    assert info
    rows = cases.read("text").to_pylist()
    other = {"text": "clean", "clean": "text"}
    overridden = [
        row | {"verdict": other[row["verdict"]], "ruled": row["verdict"], "by": "review"}
        for row in rows
    ]
    cases.write("text", manifest("text", overridden), info.origin)
    assert text_cases(cases, 1.0).equals(by_rule)


def test_a_label_that_a_person_chose_is_not_the_rules_word(cases: Workspace) -> None:
    rows, info = cases.read("labels").to_pylist(), cases.info("labels")
    assert info
    by_rule = label_cases(cases).set_index("sha256")["rule"]
    assert set(by_rule) == {"drop"}
    chosen = [
        row | {"verdict": "kept", "label": "joy", "target": 0, "by": "review"} for row in rows
    ]
    chosen[0] |= {"ruled": "kept", "ruled_label": "sadness"}
    chosen[1:] = [row | {"ruled": "label_conflict", "ruled_label": "joy"} for row in chosen[1:]]
    cases.write("labels", manifest("labels", chosen), info.origin)
    after = label_cases(cases).set_index("sha256")["rule"]
    assert after.to_dict() == by_rule.to_dict() | {rows[0]["cluster"]: "sadness"}


def test_a_pair_is_asked_once_by_the_placing_that_says_most(cases: Workspace) -> None:
    """Whole frames that agree in all make a pair sure, however near its keypoints are."""
    pairs, info = cases.read("pairs"), cases.info("pairs")
    assert info
    work = WorkContext(cases, cases.config())
    assert len(build_queue(work, (ReviewKind.DUPLICATE,), 0.05)) > 0
    rows = pairs.to_pylist()
    surer = [row | {"placing": "whole", "correlation": 1.0} for row in rows]
    columns = {f.name: pa.array([row[f.name] for row in rows + surer], f.type) for f in PAIRS}
    cases.write("pairs", pa.table(columns, PAIRS), info.origin)
    assert len(build_queue(work, (ReviewKind.DUPLICATE,), 0.05)) == 0


def test_nothing_to_review_says_what_to_run(tmp_path: Path) -> None:
    said = curate("review", "--no-browser", "--workspace", tmp_path)
    assert said.code == 2
    assert "curate split" in said.rest
    said = curate("review", "--no-browser", "--kind", "label", "--workspace", tmp_path)
    assert said.code == 2
    assert "curate binarize" in said.rest


@pytest.mark.parametrize("given", [("--margin", "-1"), ("--port", "70000"), ("--kind", "face")])
def test_a_wrong_option_is_refused(cases: Workspace, given: tuple[str, str]) -> None:
    assert curate("review", "--no-browser", "--workspace", cases.root, *given).code == 2


def test_a_port_that_is_taken_is_named(cases: Workspace) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = curate("review", "--no-browser", "--port", port, "--workspace", cases.root)
    assert (said.code, f"--port {port}" in said.rest) == (2, True)
