"""Doubted labels from the command line: found at 64 pixels, left out, counted, brought back."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import curate
from tests.label_issues.doubtable import DOUBTS, SMALL
from webemo_curate.workspace import Workspace


@pytest.mark.slow
def test_labels_are_doubted_left_out_and_brought_back(curated: Path, tmp_path: Path) -> None:
    place = Workspace(shutil.copytree(curated, tmp_path / "ws"))
    before = {file: file.read_bytes() for file in place.manifests.iterdir()}
    settings = place.root / "curate.yaml"
    training = {"train": SMALL.model_dump(mode="json", exclude_unset=True)}
    settings.write_text(yaml.safe_dump(yaml.safe_load(settings.read_text()) | training))
    asked = ("--folds", 2, "--drop-worst", "10%")
    said = curate("label-issues", *asked, "--workspace", place.root)
    assert "labels are in doubt" in said
    assert f"curate split --workspace {place.root}" in said
    assert {file: file.read_bytes() for file in before} == before

    curate("split", "--workspace", place.root)
    scored = place.read("label_issues").num_rows
    decisions = place.read("decisions").to_pylist()
    left = [row for row in decisions if row["reason"] == "label_issue"]
    assert len(left) == scored // 10 > 0
    assert {row["stage"] for row in left} == {"undersample"}
    assert all(row["score"] <= row["threshold"] for row in left)
    assert "Everything adds up." in curate("verify", "--workspace", place.root)

    curate("undersample", "--drop-worst", "none", "--workspace", place.root)
    curate("split", "--workspace", place.root)
    assert {file: file.read_bytes() for file in before} == before
    assert all(map(place.has, DOUBTS))
