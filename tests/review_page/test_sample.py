"""`curate review --sample`: a blind sample is decided in the browser, and the estimate printed."""

import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import curate
from tests.review_page.conftest import decided
from tests.review_page.test_page import open_page, press
from webemo_curate.reviews.blind_sample import draw_sample
from webemo_curate.verdicts import TextVerdict
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Page

Start = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.mark.slow
def test_a_sample_is_decided_to_its_end_and_the_command_prints_the_estimate(
    page: "Page", cases: Workspace, start_command: Start
) -> None:
    process, address = start_command("--sample", 4)
    sample = draw_sample(cases, 4)
    # Of two pictures that the rule drops, and of two that it keeps, one each bears text.
    bearing = {sample.drawn[verdict][0] for verdict in (TextVerdict.TEXT, TextVerdict.CLEAN)}
    open_page(page, address)
    assert page.inner_text("#counter").startswith("Case 1 of 4")
    for name in sample.pictures():
        press(page, "d" if name in bearing else "k")
    page.click("#done")
    page.wait_for_selector("text=This page can be closed")
    results, rest = process.communicate(timeout=30)
    assert process.returncode == 0, rest
    assert {r.sha256 for r in decided(cases) if r.decision == "drop"} == bearing
    assert {(r.note, r.score, r.threshold) for r in decided(cases)} == {(sample.note, None, None)}
    said = [line for line in results.splitlines() if "decided" in line or "interval" in line]
    assert "4 of 4 pictures of the blind sample of 4, seed 0 are decided" in said[0]
    assert "precision 50.0% (95 % interval 9.5% to 90.5%)" in said[1]
    assert "recall 50.0% (95 % interval " in said[2]
    again = curate("review", "--estimate", "--workspace", cases.root)
    assert all(line in again.results for line in said)
