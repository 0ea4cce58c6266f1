"""The report on a workspace that has everything it can show, opened in a real browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.chromium import chromium
from tests.report.made_workspace import fill, place_all, share_with
from tests.report.opened_report import NARROW, WIDE, opened
from tests.work import work_on
from webemo_curate.report.build import build_report
from webemo_curate.workspace import Workspace


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="package")
def report(trained_once: tuple[Workspace, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report on a workspace that has everything it can show."""
    from webemo_curate.evaluation.evaluate import evaluate

    place = tmp_path_factory.mktemp("report") / "ws"
    workspace = Workspace(shutil.copytree(trained_once[0].root, place))
    fill(workspace)
    place_all(workspace)
    share_with(workspace, "outside", place)
    run = workspace.runs / trained_once[1]
    evaluate(run, "test", work_on(workspace), "cpu")
    shutil.copytree(run, run.with_name("another"))
    return Path(build_report(work_on(workspace)))


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    yield from opened(browser, report, WIDE, "light")


@pytest.fixture
def small_page(browser: Browser, report: Path) -> Iterator[Page]:
    yield from opened(browser, report, NARROW, "dark")
