"""Quality from end to end: old workspaces stay current, and what is dropped is accounted for."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.conftest import curate
from webemo_curate.workspace import Workspace


def ran(shown: str) -> list[str]:
    return [line.split()[0] for line in shown.splitlines() if " s, as " in line]


def test_a_workspace_from_before_gets_its_measures_and_stays_as_it_was(
    curated: Path, tmp_path: Path
) -> None:
    place = Workspace(shutil.copytree(curated, tmp_path / "ws"))
    for name in ("measures", "quality"):
        place.manifest_path(name).unlink()
    before = {file: file.read_bytes() for file in place.manifests.iterdir()}
    assert "Everything adds up." in curate("verify", "--workspace", place.root)
    assert ran(curate("split", "--workspace", place.root)) == ["images", "quality"]
    assert {file: file.read_bytes() for file in before} == before


@pytest.mark.slow
def test_what_is_dropped_leaves_before_it_is_compared_and_can_come_back(
    curated: Path, tmp_path: Path
) -> None:
    place = Workspace(shutil.copytree(curated, tmp_path / "ws"))
    before = {file: file.read_bytes() for file in place.manifests.iterdir()}
    scores = place.read("quality", ["blurry"])["blurry"].to_numpy()
    limit = float(np.quantile(scores, 0.1))
    asked = ("--drop", "blurry", "--blurry", limit)
    shown = curate("flag-quality", *asked, "--workspace", place.root)
    assert f"{(scores < limit).sum()} of {len(scores)} images are not good enough" in shown

    assert ran(curate("split", "--workspace", place.root))[:2] == ["pairs", "dedup"]
    quality = place.read("quality")
    left = {row["sha256"] for row in quality.to_pylist() if row["verdict"] == "blurry"}
    decisions = [row for row in place.read("decisions").to_pylist() if row["stage"] == "quality"]
    assert {row["sha256"] for row in decisions} == left
    assert all(row["score"] < row["threshold"] == limit for row in decisions)
    assert not left & set(place.read("duplicates")["sha256"].to_pylist())
    assert "Everything adds up." in curate("verify", "--workspace", place.root)

    curate("flag-quality", "--drop", "none", "--blurry", 0.29, "--workspace", place.root)
    curate("split", "--workspace", place.root)
    assert {file: file.read_bytes() for file in before} == before
