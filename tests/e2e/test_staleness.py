"""Why a stage runs is told by the options that a user knows."""

import shutil
from pathlib import Path

from tests.e2e.conftest import curate


def test_of_a_rule_made_of_many_settings_the_options_are_named(
    curated: Path, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace"
    shutil.copytree(curated, workspace, symlinks=True)
    output = curate("filter-text", "--min-area", "0.02", "--dry-run", "--workspace", workspace)
    (line,) = [line for line in output.splitlines() if line.startswith("text")]

    assert "--min-area" in line
    assert "easyocr" not in line
    assert "{" not in line


def test_moved_limits_of_duplicates_leave_the_measured_pairs_as_they_are(
    curated: Path, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace"
    shutil.copytree(curated, workspace, symlinks=True)
    output = curate("dedup", "--distance", "6", "--dry-run", "--workspace", workspace)
    said = {line.split()[0]: line for line in output.splitlines() if line.strip()}
    assert "current" in said["pairs"]
    assert "--distance" in said["dedup"]
