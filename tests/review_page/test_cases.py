"""Cases from stored scores: those near the threshold, on both sides, the most uncertain first."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.command import curate
from tests.review_page.made import CORRELATIONS, TEXT_MARGINS, VOTES
from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.measured import answers
from webemo_curate.duplicates.relation import Relation, RelationLimits
from webemo_curate.duplicates.stored_pairs import from_table
from webemo_curate.match_schemas import PAIRS
from webemo_curate.review_page.case_queue import CaseFilter, build_queue
from webemo_curate.review_page.cases import text_cases
from webemo_curate.review_page.pair_margins import pair_margins
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


ROW = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["phash", "grays", "features"]),
        "placing": st.sampled_from(["reduced", "whole", "keypoints"]),
        "distance": st.integers(0, 14),
        "clear": st.booleans(),
        "correlation": st.sampled_from([-0.5, 0.79, 0.8, 0.85, 0.9, 0.91, 1.0]),
        "inliers": st.sampled_from([0, 8, 15, 16, 17, 400]),
        "placed": st.sampled_from([0.0, 0.44, 0.45, 0.46, 1.0]),
        "agreeing": st.sampled_from([0.0, 0.49, 0.5, 0.51, 1.0]),
        "changed": st.sampled_from([0.0, 0.0079, 0.008, 0.0081, 1.0]),
    }
)


@given(st.lists(ROW, min_size=1, max_size=20))
def test_a_margin_says_what_the_rule_says(rows: list[dict[str, object]]) -> None:
    """Of every measure at, below and above its limit: 0 or more where both are the same picture."""
    config = DedupConfig()
    table = _pairs(rows)
    found = pair_margins(table, config)
    measured = from_table(table, ["a", "b"])
    same = answers(measured, RelationLimits.of(config)) == Relation.SAME
    hashed = np.array([row["method"] == "phash" for row in rows])
    within = ~hashed | (measured.distance <= config.distance)
    assert ((found.margin >= 0) == (same & within)).all()


def _pairs(rows: list[dict[str, object]]) -> pa.Table:
    blank = ("inliers", "placed", "agreeing", "changed")
    columns = {
        name: [
            None
            if (name in blank and row["placing"] == "reduced")
            or (name == "distance" and row["method"] != "phash")
            else row.get(name)
            for row in rows
        ]
        for name in PAIRS.names
    }
    sides = {"first": ["a"] * len(rows), "second": ["b"] * len(rows)}
    fixed = columns | sides | {"mirrored": [False] * len(rows), "overlap": [1.0] * len(rows)}
    plain = {f.name: f.type.value_type if pa.types.is_dictionary(f.type) else f.type for f in PAIRS}
    return pa.table({name: pa.array(fixed[name], plain[name]) for name in PAIRS.names})


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
