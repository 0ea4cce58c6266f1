"""The report on a curated workspace shows what left, why, and what it looked like."""

import re
import shutil
from pathlib import Path

from tests.e2e.conftest import curate
from webemo_curate.workspace import Workspace


def test_report_shows_every_reason_with_its_count_and_pictures(
    curated: Path, tmp_path: Path
) -> None:
    workspace = tmp_path / "ws"
    shutil.copytree(curated, workspace)
    curate("report", "--workspace", workspace)
    page = (workspace / "report.html").read_text()
    left = Workspace(workspace).read("decisions").to_pandas()
    counts = left.groupby(["stage", "reason"], observed=True).size()
    assert len(counts) > 5
    for (stage, reason), count in counts.items():
        unit = "URLs" if stage == "fetch" else "images"
        heading = f"{stage}: {reason.replace('_', ' ')} <small>{count:,} {unit}</small>"
        assert heading in page
    pictured = page.split('id="dropped"')[1].split("</section>")[0]
    assert len(re.findall(r'<img src="data:image/webp;base64,', pictured)) > 10
    dead = left.loc[left["reason"] == "not_found", "url"].iloc[0]
    assert dead in page
