"""Why a stage runs is told by the one setting that differs."""

import shutil
from pathlib import Path

from tests.e2e.conftest import curate


def test_of_a_rule_made_of_many_settings_the_changed_one_is_named(
    curated: Path, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace"
    shutil.copytree(curated, workspace, symlinks=True)
    output = curate("filter-text", "--min-area", "0.02", "--dry-run", "--workspace", workspace)
    (line,) = [line for line in output.splitlines() if line.startswith("text")]

    assert "easyocr.min_area is 0.02, was 0.0" in line
    assert "{" not in line
