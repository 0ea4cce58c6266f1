"""The report: self-contained, escaped, and right."""

import io
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from tests.stages.tables import manifest
from tests.work import work_on
from webemo_curate.manifest import Origin
from webemo_curate.report.build import build_report
from webemo_curate.workspace import Workspace

HOSTILE = "<script>alert(1)</script>"


def png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def test_missing_parts_name_their_command(tmp_path: Path) -> None:
    page = Path(build_report(work_on(Workspace(tmp_path)))).read_text()
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
    } | dict.fromkeys(("file", "group", "row_id", "problem"))
    rows = [row | {"line": line} for line in range(1, 1235)]
    origin = Origin("listing", 1, {"note": HOSTILE}, {})
    workspace.write("listing", pa.Table.from_pylist(rows), origin)
    page = Path(build_report(work_on(workspace))).read_text()
    assert page.count("<script") == 1  # the page's own
    assert "&lt;script&gt;" in page
    assert "same url 1,233" in page


def test_page_asks_nothing_of_any_network(tmp_path: Path) -> None:
    page = Path(build_report(work_on(Workspace(tmp_path)))).read_text()
    assert "default-src 'none'" in page
    for target in re.findall(r"""(?:src|href)=["']([^"']*)""", page):
        assert target.startswith(("data:", "#"))


def test_siblings_stand_side_by_side_with_why_and_escaped(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    names = [workspace.store_image(png(seed), ".png") for seed in range(3)]
    rows = [
        {"sha256": name, "path": workspace.image_path(name, ".png"), "suffix": ".png"}
        for name in names
    ]
    origin = Origin("made up", 1, {}, {})
    workspace.write("images", manifest("images", rows), origin)
    pair = {names[0]: names[1], names[1]: names[0]}
    members = [
        {
            "sha256": name,
            "cluster": name,
            "matched": name,
            "group": HOSTILE[:12] + "0" if name in pair else name,
            "sibling_of": pair.get(name),
            "sibling_score": 0.125 if name in pair else None,
        }
        for name in names
    ]
    workspace.write("duplicates", manifest("duplicates", members), origin)

    page = Path(build_report(work_on(workspace))).read_text()
    section = page[page.index('<section id="siblings"') : page.index('<section id="splits"')]
    assert "1 pair of one scene" in section
    assert section.count("<img ") == 2
    assert "the largest part that differs is 12.5% of it" in section
    assert "<script" not in section
    assert "&lt;script&gt;" in section
