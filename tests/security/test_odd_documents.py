"""What runs, manifests and reviews of others say may be anything: it is named, shown or refused."""

import csv
import json
import math
import shutil
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.command import curate
from tests.exports.shared_set import fill
from webemo_curate.download.robots import MAX_ROBOTS_BYTES, MAX_STEPS, read_robots
from webemo_curate.errors import InputError
from webemo_curate.manifest import Origin
from webemo_curate.report.svg import OwnIds, plot
from webemo_curate.reviews.review_files import _cell, _unquoted
from webemo_curate.run_digests import FILES, file_digests, sealed
from webemo_curate.runs import load_classes
from webemo_curate.verdicts import MOST_CLASSES, are_classes
from webemo_curate.workspace import Workspace

ORIGIN = Origin("made up", 1, {}, {})
HALF = "\ud800"
"""Half of a character, which JSON may hold and no file of text."""

ODD_FIGURES: dict[str, dict[str, Any]] = {
    "text": {"accuracy": "<b>"},
    "list": {"accuracy_low": []},
    "missing": {"accuracy_high": None},
    "beyond all floats": {"accuracy": 10**400},
    "area": {"auc": "x"},
}
ODD_CLASS: dict[str, Any] = {"precision": 1, "recall": 1, "f1": 1, "support": math.inf}


def rewrite(run: Path, figures: dict[str, Any], config: dict[str, Any]) -> None:
    """Change what a run says of itself, and write its digests anew as anyone can."""
    document = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(document | config))
    mark = json.loads((run / "done.json").read_text())
    mark = {key: value for key, value in mark.items() if key != "digest"}
    mark[FILES] = file_digests(run, mark[FILES])
    (run / "done.json").write_text(json.dumps(sealed(mark)))
    metrics = json.loads((run / "metrics-test.json").read_text())
    metrics = {key: value for key, value in metrics.items() if key != "digest"}
    (run / "metrics-test.json").write_text(json.dumps(sealed(metrics | figures)))


@pytest.fixture
def measured(trained: tuple[Workspace, Path]) -> tuple[Workspace, Path, Path]:
    """A workspace with two runs that were measured: a sound one, and one to spoil."""
    workspace, run = trained
    said = curate("evaluate", run.name, "--device", "cpu", "--workspace", workspace.root)
    assert said.code == 0, said
    return workspace, run, Path(shutil.copytree(run, run.with_name("theirs")))


@pytest.mark.parametrize("name", ODD_FIGURES)
def test_a_run_of_odd_figures_is_named_and_the_others_are_listed(
    measured: tuple[Workspace, Path, Path], caplog: pytest.LogCaptureFixture, name: str
) -> None:
    workspace, sound, theirs = measured
    rewrite(theirs, ODD_FIGURES[name], {})
    said = curate("runs", "--workspace", workspace.root)
    assert said.code == 0, said
    assert sound.name in said.results
    assert "theirs: left out: theirs: its " in caplog.text
    compared = curate("runs", "compare", sound.name, "theirs", "--workspace", workspace.root)
    assert (compared.code, "no number" in compared.rest) == (2, True)


@pytest.mark.parametrize(
    ("figures", "config"),
    [
        ({"accuracy": 10**400}, {}),
        ({"per_class": {"a": ODD_CLASS}}, {}),
        ({}, {"classes": [str(number) for number in range(300_000)]}),
        ({}, {"classes": [HALF, "b"]}),
        ({}, {"splits": {"train": 5}, "image_size": 10**9}),
    ],
    ids=["figure", "class", "classes", "half a character", "configuration"],
)
def test_the_report_and_the_list_leave_a_run_of_nonsense_out(
    measured: tuple[Workspace, Path, Path], figures: dict[str, Any], config: dict[str, Any]
) -> None:
    workspace, sound, theirs = measured
    rewrite(theirs, figures, config)
    for command in ("report", "runs"):
        said = curate(command, "--workspace", workspace.root)
        assert said.code == 0, said
    page = (workspace.root / "report.html").read_text()
    assert sound.name in page
    with pytest.raises(InputError, match="not a run's configuration"):
        load_classes(theirs) if config.get("classes") else load_classes(theirs / "none")


def test_classes_are_as_many_as_targets_tell_apart(workspace: Workspace) -> None:
    assert are_classes(["a", "b"])
    assert not are_classes(["a"])
    assert not are_classes({"a": 1, "b": 2})
    assert not are_classes(["a"] * (MOST_CLASSES + 1))
    rows = workspace.read("train")
    workspace.write("train", rows, ORIGIN, ("alone",))
    assert workspace.info("train") is None
    said = curate("report", "--workspace", workspace.root)
    assert said.code in (0, 2), said
    assert "Traceback" not in said.rest


def test_a_folder_in_place_of_a_manifest_is_no_manifest(workspace: Workspace) -> None:
    path = workspace.manifest_path("train")
    path.unlink()
    path.mkdir()
    for command in (("status",), ("report",), ("export", "csv", "--to", workspace.root / "x")):
        said = curate(*command, "--workspace", workspace.root)
        assert said.code in (0, 2), said


def test_a_label_of_control_characters_is_drawn(tmp_path: Path) -> None:
    assert "<svg" in OwnIds()(plot(lambda axes: axes.set_title("a\x1b]0;b\x07\x00 <script>")))
    workspace = fill(Workspace(tmp_path))
    rows = workspace.read("train").to_pylist()
    for row in rows:
        row["label"] = "\x1b]0;x\x07<script>alert(1)</script>"
    workspace.write("train", pa.Table.from_pylist(rows), ORIGIN, workspace.classes("train"))
    said = curate("report", "--workspace", workspace.root)
    assert said.code == 0, said
    assert "<script>alert" not in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    "odd", [{"score": 10**400}, {"note": HALF}, {"time": "0001-01-01T00:00:00+23:59"}]
)
def test_a_review_that_is_none_is_one_message(workspace: Workspace, odd: dict[str, Any]) -> None:
    line = {
        **{"kind": "text", "sha256": "a" * 64, "decision": "keep", "reviewer": "ann"},
        **{"time": "2026-01-01T00:00:00+00:00"},
        **odd,
    }
    journal = workspace.root / "data/reviews/000001-x.jsonl"
    journal.parent.mkdir()
    journal.write_text(json.dumps(line) + "\n")
    out = workspace.root.parent / "out.csv"
    said = curate("review", "--export", out, "--workspace", workspace.root)
    assert said.code == 2, said
    assert "000001-x.jsonl, line 1: is no review" in said.rest or "line 1: " in said.rest


@given(st.text(max_size=20) | st.from_regex(r"'*[=+\-@][a-z']*", fullmatch=True))
def test_no_cell_of_a_table_of_decisions_is_a_formula(text: str) -> None:
    cell = str(_cell(text))
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert _unquoted(cell) == text


def test_decisions_come_back_from_a_table_as_they_went(
    workspace: Workspace, tmp_path: Path
) -> None:
    line = {
        **{"kind": "text", "sha256": "a" * 64, "decision": "keep", "reviewer": "=cmd|'x'!A1"},
        **{"time": "2026-01-01T00:00:00+00:00", "note": '=HYPERLINK("http://a")', "score": -0.5},
    }
    journal = workspace.root / "data/reviews/000001-x.jsonl"
    journal.parent.mkdir()
    journal.write_text(json.dumps(line) + "\n")
    for place in ("one.csv", "two.csv"):
        said = curate("review", "--export", tmp_path / place, "--workspace", workspace.root)
        assert said.code == 0, said
        shutil.rmtree(journal.parent)
        said = curate("review", "--import", tmp_path / "one.csv", "--workspace", workspace.root)
        assert said.code == 0, said
    with (tmp_path / "two.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["reviewer"], row["note"]) == (f"'{line['reviewer']}", f"'{line['note']}")
    assert row["score"] == "-0.5"


def test_a_robots_txt_that_takes_long_to_obey_forbids() -> None:
    """A rule is quick or is not followed: patterns are sought in paths of their writer's."""
    lines = [f"Disallow: /*{'a' * 20}{n}{'a' * 20}" for n in range(9_000)]
    content = "\n".join(["User-agent: *", *lines]).encode()
    assert len(content) < MAX_ROBOTS_BYTES
    rules = read_robots(content, "webemo-curate")
    began = time.process_time()
    assert not rules.allows("http://a.example/" + "a" * 4000)
    assert rules.allows("http://a.example/b.jpg")
    assert time.process_time() - began < 1
    few = read_robots(b"User-agent: *\nDisallow: /*a**b$\n", "webemo-curate")
    assert not few.allows("http://a.example/xaxxb")
    assert few.allows("http://a.example/" + "x" * 4000)
    assert MAX_STEPS // 4096 > 8000
