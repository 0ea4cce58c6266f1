"""Labels doubted on a small drawn set: current, resumed, left out and brought back."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

from tests.label_issues.doubtable import (
    DOUBTS,
    SMALL,
    configured,
    doubt_labels,
    list_lines,
    make_doubtable,
    run_alone,
    write,
)
from tests.work import work_on
from webemo_curate.config import PipelineConfig, UndersampleConfig
from webemo_curate.errors import InputError
from webemo_curate.label_issues.doubt_stages import with_doubts
from webemo_curate.pipeline import Pipeline, build_stages
from webemo_curate.review_page.case_queue import build_queue
from webemo_curate.reviews.review import ReviewKind
from webemo_curate.table_digest import content_digest
from webemo_curate.workspace import Workspace

PICTURES = 24
LISTED = UndersampleConfig(shares=("listed",))


@pytest.fixture(scope="module")
def doubted(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Give a workspace whose labels have been doubted once; tests only read it."""
    place = make_doubtable(tmp_path_factory.mktemp("doubted") / "ws", PICTURES)
    assert doubt_labels(place, configured()) == ["out_of_fold", "label_issues"]
    return place


@pytest.fixture
def mine(doubted: Workspace, tmp_path: Path) -> Workspace:
    """Give a copy of its manifests."""
    place = Workspace(tmp_path / "ws")
    place.manifests.mkdir(parents=True)
    for file in doubted.manifests.iterdir():
        (place.manifests / file.name).write_bytes(file.read_bytes())
    return place


def digests(place: Workspace) -> dict[str, str]:
    return {name: content_digest(place.read(name)) for name in DOUBTS}


def test_every_label_gets_an_answer_of_a_network_that_has_not_seen_its_group(
    doubted: Workspace,
) -> None:
    rows = doubted.read("out_of_fold").to_pylist()
    groups = {row["sha256"]: row["group"] for row in doubted.read("duplicates").to_pylist()}
    assert {row["sha256"] for row in rows} == set(groups)
    homes = {(groups[row["sha256"]], row["fold"]) for row in rows}
    assert len(homes) == len({group for group, _ in homes}) == PICTURES // 2
    assert all(sum(row["probability"]) == pytest.approx(1, abs=1e-5) for row in rows)
    issues = doubted.read("label_issues").to_pylist()
    assert [row["rank"] for row in issues] == [*range(1, PICTURES + 1)]
    scores = [row["score"] for row in issues]
    assert scores == sorted(scores)
    assert all({row["given"], row["suggested"]} == {"others", "sadness"} for row in issues)
    assert sum(doubted.read("label_noise")["share"].to_pylist()) == pytest.approx(1)
    for name in DOUBTS:
        assert doubted.change(name) is None
    # Nothing of the trainings is left, and nothing of them runs twice.
    assert not doubted.store.keys("data/checkpoints")
    assert doubt_labels(doubted, configured()) == []
    assert doubt_labels(doubted, configured(drop_worst=5)) == []


def test_single_labels_are_doubted_too(mine: Workspace) -> None:
    """Copies of a picture under another label are evidence, where each label is a class."""
    labels = mine.read("labels").to_pylist()
    named = {row["cluster"]: [row["label"]] for row in labels}
    twice = labels[0]["cluster"]
    named[twice] = ["sadness", "zest"]
    list_lines(mine, named)
    before = {row["sha256"]: row["score"] for row in mine.read("label_issues").to_pylist()}
    answered = mine.info("out_of_fold")
    assert answered
    # Of these two labels each is a class of its own: the answers are those of the classes.
    mine.write("out_of_fold", mine.read("out_of_fold"), answered.origin, ("zest", "sadness"))
    pipeline = Pipeline(mine, configured(doubt="labels"), stages=with_doubts(build_stages))
    (outcome,) = pipeline.run("label_issues", only=True)
    assert outcome.rows["label_issues"] == PICTURES
    rows = {row["sha256"]: row for row in mine.read("label_issues").to_pylist()}
    assert {name for name, row in rows.items() if row["other_lines"]} == {twice}
    assert rows[twice]["lines"] == 2
    assert rows[twice]["score"] == pytest.approx(before[twice] / 2)
    assert all(rows[name]["score"] == before[name] for name in rows if name != twice)
    assert {row["given"] for row in rows.values()} == {"zest", "sadness"}


def test_copies_listed_for_the_other_class_lower_the_trust_but_not_a_persons_word(
    mine: Workspace,
) -> None:
    before = {row["sha256"]: row["score"] for row in mine.read("label_issues").to_pylist()}
    labels = mine.read("labels").to_pylist()
    sad, glad = (next(row for row in labels if row["target"] == target) for target in (1, 0))
    decided = next(row for row in labels if row["target"] == 1 and row is not sad)
    sad |= {"positive_votes": 2, "other_votes": 1}
    glad |= {"positive_votes": 1, "other_votes": 1}
    decided |= {"positive_votes": 1, "other_votes": 3, "by": "review"}
    write(mine, "labels", labels)
    run = Pipeline(mine, configured(), stages=with_doubts(build_stages)).run(
        "label_issues", only=True
    )
    assert [outcome.stage for outcome in run] == ["label_issues"]
    rows = {row["sha256"]: row for row in mine.read("label_issues").to_pylist()}
    shares = {sad["cluster"]: 2 / 3, glad["cluster"]: 1 / 2}
    for name, row in rows.items():
        assert row["score"] == pytest.approx(before[name] * shares.get(name, 1)), name
    assert {name for name, row in rows.items() if row["other_lines"]} == shares.keys()


def test_the_worst_are_left_out_counted_and_brought_back(mine: Workspace) -> None:
    config = configured().model_copy(update={"undersample": LISTED})
    run_alone(mine, config, "undersample")
    before = mine.manifest_path("sample").read_bytes()
    worst = config.model_copy(update={"label_issues": configured(drop_worst=25).label_issues})
    run_alone(mine, worst, "undersample")
    sample = mine.read("sample").to_pylist()
    left = [row for row in sample if row["reason"] == "label_issue"]
    issues = mine.read("label_issues").to_pylist()
    assert {row["sha256"] for row in left} == {row["sha256"] for row in issues[: PICTURES // 4]}
    assert all(row["score"] <= row["threshold"] for row in left)
    assert len(sample) == PICTURES
    assert not any(row["kept"] for row in left)
    run_alone(mine, config, "undersample")
    assert mine.manifest_path("sample").read_bytes() == before


def test_what_a_person_decided_is_neither_asked_nor_left_out(mine: Workspace) -> None:
    issues = mine.read("label_issues")
    rewrite_issue = pa.array([True] * PICTURES)
    marked = issues.set_column(issues.column_names.index("issue"), "issue", rewrite_issue)
    info = mine.info("label_issues")
    assert info
    mine.write("label_issues", marked, info.origin, info.classes)
    first = issues["sha256"][0].as_py()
    asked = build_queue(work_on(mine), (ReviewKind.LABEL,), 0.1)
    assert [case.sha256 for case in asked.cases] == issues["sha256"].to_pylist()
    details = asked.details(0)
    assert details["rule"] in ("zest", "sadness")
    assert set(details["answers"]) == {"zest", "sadness", "drop"}
    assert details["measure"].startswith("networks say ")

    labels = mine.read("labels").to_pylist()
    decided = [row | {"by": "review" if row["cluster"] == first else "rule"} for row in labels]
    write(mine, "labels", decided)
    asked = build_queue(work_on(mine), (ReviewKind.LABEL,), 0.1)
    assert first not in [case.sha256 for case in asked.cases]
    config = configured(drop_worst=50).model_copy(update={"undersample": LISTED})
    run_alone(mine, config, "undersample")
    left = {row["sha256"] for row in mine.read("sample").to_pylist() if row["reason"]}
    assert first not in left
    assert len(left) == (PICTURES - 1) // 2


def test_doubts_of_other_classes_are_refused_with_what_helps(mine: Workspace) -> None:
    info = mine.info("label_issues")
    assert info
    mine.write("label_issues", mine.read("label_issues"), info.origin, ("others", "anger"))
    with pytest.raises(InputError, match=r"others, anger.*curate label-issues.*--drop-worst none"):
        run_alone(mine, configured(drop_worst=5), "undersample")
    mine.manifest_path("label_issues").unlink()
    with pytest.raises(InputError, match=r"run 'curate label-issues"):
        run_alone(mine, configured(drop_worst=5), "undersample")


def test_the_report_shows_the_noise_the_joint_and_the_worst(doubted: Workspace) -> None:
    from webemo_curate.report.doubted_labels import doubted as shown
    from webemo_curate.report.examples import Album

    section = shown(Album(work_on(doubted)), 3)
    assert section
    found, issues = section.found, doubted.read("label_issues")["issue"].to_pylist()
    assert (found.images, found.issues) == (PICTURES, sum(issues))
    assert [each.name for each in found.classes] == ["others", "sadness"]
    assert found.joint.sum() == pytest.approx(1)
    assert len(section.examples) == min(3, sum(issues))
    assert ">sadness<" in section.joint
    assert found.lines()[0].startswith(f"{sum(issues)} of {PICTURES} labels are in doubt")


def test_a_percentage_is_read_with_its_sign_and_bounded() -> None:
    assert configured(drop_worst="5%").label_issues.drop_worst == 5
    with pytest.raises(ValueError, match="less than 100"):
        configured(drop_worst="100%")


def start_search(place: Workspace, config: PipelineConfig) -> subprocess.Popen[bytes]:
    """Start a search in a process of its own: sums depend on how many threads add them up."""
    code = (
        "import sys; from pathlib import Path; from webemo_curate.config import PipelineConfig;"
        "from tests.label_issues.doubtable import doubt_labels;"
        "from webemo_curate.workspace import Workspace;"
        f"doubt_labels(Workspace(Path({str(place.root)!r})),"
        f"PipelineConfig.model_validate_json({config.model_dump_json()!r}))"
    )
    return subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])


@pytest.mark.slow
@pytest.mark.parametrize("begun", ["fold-0.arrow", "fold-1/state.safetensors"])
def test_a_killed_search_goes_on_to_the_same_result(tmp_path: Path, begun: str) -> None:
    """Between two folds, and within the second."""
    config = configured(SMALL.model_copy(update={"epochs": 2}))
    place = make_doubtable(tmp_path / "ws", 12)
    start_search(place, config).wait()
    undisturbed = digests(place)
    for name in DOUBTS:
        place.manifest_path(name).unlink()
    process = start_search(place, config)
    partial = place.root / "data/checkpoints/out_of_fold"
    while not [*partial.glob(f"*/{begun}")] and process.poll() is None:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert [*partial.glob("*/fold-0.arrow")], "it ended before it could be killed"
    assert not place.has("out_of_fold")
    assert start_search(place, config).wait() == 0
    assert digests(place) == undisturbed
