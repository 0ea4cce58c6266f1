"""The report: self-contained, escaped, and right."""

import re
from pathlib import Path

import pyarrow as pa

from webemo_curate.config import ReportConfig
from webemo_curate.manifest import Origin
from webemo_curate.report.build import build_report
from webemo_curate.workspace import Workspace

HOSTILE = "<script>alert(1)</script>"


def test_missing_parts_name_their_command(tmp_path: Path) -> None:
    page = Path(build_report(Workspace(tmp_path), ReportConfig())).read_text()
    for command in ("fetch", "split", "train-model"):
        assert f"curate {command}" in page


def test_numbers_are_the_manifests_and_hostile_text_is_escaped(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    row = {
        "source": "test25.txt",
        "line": 1,
        "url": f"https://a.example/{HOSTILE}",
        "asset_id": None,
        "label": "zest",
        "emotion": "joy",
        "polarity": "+",
        "official_split": "test",
    }
    rows = [row | {"line": line} for line in range(1, 1235)]
    origin = Origin("listing", 1, {"note": HOSTILE}, {})
    workspace.write("listing", pa.Table.from_pylist(rows), origin)
    page = Path(build_report(workspace, ReportConfig())).read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "same url 1,233" in page


def test_page_asks_nothing_of_any_network(tmp_path: Path) -> None:
    page = Path(build_report(Workspace(tmp_path), ReportConfig())).read_text()
    assert "default-src 'none'" in page
    for target in re.findall(r"""(?:src|href)=["']([^"']*)""", page):
        assert target.startswith(("data:", "#"))
