"""Parts of the report: ids of plots, sizes of pictures, leaks, what `--open` opens."""

import io
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from tests.e2e.conftest import CURATE
from tests.report.made_workspace import HOSTILE, MADE, fill, share_with
from tests.work import work_on
from webemo_curate.report import charts
from webemo_curate.report.leaks import Outside, leaks
from webemo_curate.report.pictures import MAX_BYTES, SIDE, small_file
from webemo_curate.report.svg import OwnIds
from webemo_curate.workspace import Workspace


def test_two_equal_plots_share_no_id_and_refer_to_their_own() -> None:
    place = OwnIds()
    plots = [place(charts.label_bars([HOSTILE, "zest"], [1, 2], [2, 1])) for _ in range(2)]
    ids = [set(re.findall(r' id="([^"]*)"', plot)) for plot in plots]
    assert ids[0]
    assert not ids[0] & ids[1]
    for plot, own in zip(plots, ids, strict=True):
        assert set(re.findall(r'(?:href="|url\()#([^")]*)', plot)) <= own
        assert "<script" not in plot
        assert "&lt;script" in plot


def test_noise_is_made_smaller_until_it_fits() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (700, 900, 3), dtype=np.uint8)
    plain = Image.new("RGB", (900, 700), "gray")
    for picture, least in ((Image.fromarray(noise), 60), (plain, SIDE)):
        content = small_file(picture)
        assert len(content) <= MAX_BYTES
        assert least <= max(Image.open(io.BytesIO(content)).size) <= SIDE


def test_leaks_between_splits_and_to_external_sets_are_counted(
    workspace: Workspace, tmp_path: Path
) -> None:
    fill(workspace)
    share_with(workspace, "outside", tmp_path)
    found = leaks(work_on(workspace))
    assert found
    assert [(each.files, each.pixels, each.pairs, each.groups) for each in found.crossings] == (
        [(0, 0, 0, 0)] * 3
    )
    assert found.outside == [
        Outside("outside", "train", 1, 0),
        Outside("outside", "validation", 0, 0),
        Outside("outside", "test", 1, 0),
    ]
    train, test = workspace.read("train"), workspace.read("test")
    workspace.write("test", pa.concat_tables([test, train.slice(0, 2)]), MADE)
    first, second, third = leaks(work_on(workspace)).crossings  # type: ignore[union-attr]
    assert (second.one, second.other, second.files, second.groups) == ("train", "test", 2, 2)
    assert first.files == third.files == 0


@pytest.mark.slow  # a process of its own
def test_open_gives_the_browser_the_file(tmp_path: Path) -> None:
    said = tmp_path / "said"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {said}\n')
    browser.chmod(0o755)
    place = tmp_path / "a workspace"
    place.mkdir()
    result = subprocess.run(
        [str(CURATE), "report", "--open", "--workspace", str(place)],
        env=os.environ | {"BROWSER": f"{browser} %s"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "it opens in the browser" in result.stdout
    assert said.read_text().strip() == (place / "report.html").as_uri()
