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
