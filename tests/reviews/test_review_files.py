"""Decisions out of a workspace and back, through the command."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.reviews.making import ANNA, BEN, review, sha
from tests.stages.tables import manifest
from webemo_curate.cli import app
from webemo_curate.errors import InputError
from webemo_curate.manifest import Origin
from webemo_curate.reviews.review_journal import ReviewJournal
from webemo_curate.workspace import Workspace


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "ws")
    workspace.root.mkdir()
    return workspace


def asked(workspace: Workspace, *arguments: object) -> dict[str, object]:
    """Run `curate review --json`; return its answer."""
    given = ["review", *map(str, arguments), "--json", "--workspace", str(workspace.root)]
    result = CliRunner().invoke(app, given, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    answer: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return answer


def test_an_export_comes_back_whole_and_once(place: Workspace, tmp_path: Path) -> None:
    entries = [
        review("keep"),
        review("drop", reviewer=BEN, seconds=1.000001),
        review("undo", seconds=2),
        review("different", 3, 2, kind="duplicate", seconds=3),
        review('a, "b" label', 4, kind="label", seconds=4),
    ]
    with ReviewJournal(place) as journal:
        journal.merge(entries)
    file = tmp_path / "out.csv"
    assert asked(place, "--export", file)["exported"] == 5
    other = Workspace(tmp_path / "other")
    other.root.mkdir()
    assert asked(other, "--import", file) == {"added": 5, "known": 0, "empty": 0}
    assert ReviewJournal(other).all() == entries
    assert asked(other, "--import", file) == {"added": 0, "known": 5, "empty": 0}
    assert asked(place, "--import", file) == {"added": 0, "known": 5, "empty": 0}


def test_tags_of_another_tool_come_by_few_columns(place: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "tags.csv"
    file.write_text(f"\ufeffsha256,kind,decision,seen\n{sha(1)},text,drop,x\n{sha(2)},text,,\n")
    assert asked(place, "--import", file, "--reviewer", ANNA) == {
        "added": 1,
        "known": 0,
        "empty": 1,
    }
    (stands,) = ReviewJournal(place).deciding()
    assert (stands.decision, stands.reviewer) == ("drop", ANNA)
    assert asked(place, "--import", file, "--reviewer", ANNA)["added"] == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"kind,sha256\ntext,{sha(1)}\n", "line 1: has no column 'decision'; it needs kind"),
        (f"kind,sha256,decision\ntext,{sha(1)},keep\ntext,{sha(2)},same\n", "line 3: decision: "),
        (f"kind,sha256,decision\ntaste,{sha(1)},keep\n", "line 2: kind: 'taste' is none of"),
        ("kind,sha256,decision\ntext,abc,keep\n", "line 2: sha256: 'abc' is no SHA-256"),
        (f"kind,sha256,decision\ntext,{sha(1)},keep,x\n", "line 2: has 4 cells, and the first"),
        (f"kind,sha256,decision,time\ntext,{sha(1)},keep,noon\n", "line 2: time: 'noon' is none"),
        (f"kind,sha256,decision,score\ntext,{sha(1)},keep,x\n", "line 2: score: 'x' is no number"),
        ('kind,sha256,decision\ntext,"a\n', "is no CSV"),
        ("kind,sha256,decision\ntext,\udcff,keep\n", "line 2: is not UTF-8; save"),
        ("", "line 1: has no column 'kind'"),
        (f"kind,sha256,decision,kind\ntext,{sha(1)},keep,text\n", "'kind' twice"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_imported(
    place: Workspace, tmp_path: Path, content: str, said: str
) -> None:
    file = tmp_path / "in.csv"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    given = ["review", "--import", str(file), "--workspace", str(place.root)]
    with pytest.raises(InputError) as told:
        app(given, standalone_mode=False)
    assert told.value.exit_code == 2
    assert str(told.value).startswith(f"{file}, line ")
    assert said in str(told.value)
    assert ReviewJournal(place).all() == []


def test_what_is_of_no_use_is_listed(place: Workspace) -> None:
    place.write(
        "images", manifest("images", [{"sha256": sha(n)} for n in (1, 2)]), Origin("i", 1, {}, {})
    )
    place.write("text", manifest("text", [{"sha256": sha(1)}]), Origin("t", 1, {}, {}))
    with ReviewJournal(place) as journal:
        journal.merge([review("keep", number) for number in (1, 2, 3)])
    answer = asked(place, "--list")
    rows = answer["reviews"]
    assert isinstance(rows, list)
    assert [row["unused"] for row in rows] == [
        None,
        "the text filter has not judged it",
        "no picture here has this hash",
    ]
    assert answer["unused"] == 2


def test_two_reviewers_and_their_conflicts(place: Workspace) -> None:
    with ReviewJournal(place) as journal:
        journal.merge([review("keep"), review("drop", reviewer=BEN, seconds=1)])
    answer = asked(place, "--agreement")
    agreements, conflicts = answer["agreements"], answer["conflicts"]
    assert isinstance(agreements, list)
    assert isinstance(conflicts, list)
    assert agreements[0]["agreed"] == 0
    assert [each["decision"] for each in conflicts[0]] == ["keep", "drop"]


def test_a_sample_is_filled_in_by_hand_and_estimated(place: Workspace, tmp_path: Path) -> None:
    verdicts = ["text"] * 10 + ["clean"] * 10
    rows = [{"sha256": sha(n), "verdict": verdict} for n, verdict in enumerate(verdicts)]
    place.write("text", manifest("text", rows), Origin("t", 1, {}, {}))
    images = manifest("images", [{"sha256": sha(n)} for n in range(20)])
    place.write("images", images, Origin("i", 1, {}, {}))
    file = tmp_path / "sample.csv"
    assert asked(place, "--sample", 8, "--export", file)["exported"] == 8
    with file.open(newline="") as stream:
        drawn = list(csv.DictReader(stream))
    assert {row["decision"] for row in drawn} == {""}
    assert not {"verdict", "score"} & {*drawn[0]}
    for row in drawn:
        row["decision"] = "drop" if int(row["sha256"], 16) < 10 else "keep"
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, drawn[0])
        writer.writeheader()
        writer.writerows(drawn)
    assert asked(place, "--import", file)["added"] == 8
    answer = asked(place, "--estimate")
    assert answer["decided"] == {"text": 4, "clean": 4}
    assert isinstance(answer["recall"], list)
    assert answer["recall"][0] == 1
