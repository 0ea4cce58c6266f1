"""Reviews through the pipeline: a run honors them, and without them all is as it was."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.compute as pc
import pytest

from tests.e2e.conftest import curate
from webemo_curate.pipeline import Pipeline
from webemo_curate.reviews.review import Review
from webemo_curate.reviews.review_journal import ReviewJournal
from webemo_curate.schemas import MANIFESTS
from webemo_curate.verification import verify
from webemo_curate.workspace import Workspace


@pytest.fixture
def mine(curated: Path, tmp_path: Path) -> Workspace:
    return Workspace(shutil.copytree(curated, tmp_path / "ws", symlinks=True))


def _stale(workspace: Workspace) -> dict[str, str | None]:
    """Return why each stage would run; None of those that are current."""
    return dict(Pipeline(workspace, workspace.config()).status())


def _contents(workspace: Workspace) -> dict[str, bytes]:
    return {name: workspace.manifest_path(name).read_bytes() for name in MANIFESTS}


def _review(kind: str, one: str, decision: str, other: str | None = None) -> Review:
    return Review(kind, one, other, decision, "anna", datetime.now(UTC))


@pytest.mark.slow
def test_a_run_honors_reviews_and_without_them_all_is_as_before(mine: Workspace) -> None:
    before = _contents(mine)
    text = mine.read("text", ["sha256", "verdict"])
    verdicts = dict(zip(*text.to_pydict().values(), strict=True))
    dropped = next(name for name, verdict in verdicts.items() if verdict == "text")
    labels = mine.read("labels", ["cluster", "verdict"])
    kept = labels.filter(pc.equal(labels["verdict"].cast("string"), "kept"))["cluster"].to_pylist()
    with ReviewJournal(mine) as journal:
        journal.append(_review("text", dropped, "keep"))
        journal.append(_review("duplicate", kept[0], "same", kept[1]))
        journal.append(_review("label", kept[2], "drop"))
        journal.append(_review("text", "0" * 64, "drop"))

    assert "'reviews' has changed" in str(_stale(mine)["text"])
    assert "text.parquet: was made from other reviews" in " ".join(verify(mine, files=False))
    assert not any(_stale(mine)[name] for name in ("listing", "fetch", "images", "ocr"))
    said = curate("split", "--workspace", mine.root)
    assert "text: 1 of 2 reviews changed nothing" in said
    decisions = mine.read("decisions", ["sha256", "stage", "reason", "by"]).to_pylist()
    by_review = {(row["stage"], row["reason"]) for row in decisions if row["by"] == "review"}
    assert by_review == {("dedup", "near_duplicate"), ("binarize", "label_dropped")}
    assert {row["by"] for row in decisions} == {"rule", "review"}
    assert dropped not in {row["sha256"] for row in decisions if row["stage"] == "text"}
    curate("verify", "--workspace", mine.root)
    assert not any(_stale(mine).values())

    mine.manifest_path("reviews").unlink()
    curate("split", "--workspace", mine.root)
    assert _contents(mine) == before


def test_a_review_of_a_pair_or_a_label_leaves_what_stands_above(mine: Workspace) -> None:
    labels = mine.read("labels", ["cluster"])["cluster"].to_pylist()
    with ReviewJournal(mine) as journal:
        journal.append(_review("label", labels[0], "drop"))
    plan = _stale(mine)
    assert not any(plan[name] for name in ("ocr", "text", "pairs", "dedup"))
    assert "'reviews' has changed" in str(plan["binarize"])
    with ReviewJournal(mine) as journal:
        journal.append(_review("duplicate", labels[0], "different", labels[1]))
    plan = _stale(mine)
    assert not any(plan[name] for name in ("ocr", "text", "pairs"))
    assert "'reviews' has changed" in str(plan["dedup"])
    with ReviewJournal(mine) as journal:
        for each in journal.current():
            journal.undo(each.case, each.reviewer)
    assert not any(_stale(mine).values())
