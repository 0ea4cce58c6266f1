"""A browser for the page, a workspace of cases, and the page served in this process."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING

import pytest

from tests.chromium import chromium
from tests.review_page.made import make_cases
from webemo_curate.review_page.session import Session
from webemo_curate.reviews.review import Review
from webemo_curate.reviews.review_journal import ReviewJournal
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CURATE = Path(sys.executable).with_name("curate")
PATIENCE = 20_000
"""Milliseconds that a page waits for what must come."""


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: "Browser") -> "Iterator[Page]":
    """Give a page of its own context; an error in it fails the test."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert errors == []


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw a workspace of cases once; tests work on copies."""
    return make_cases(Workspace(tmp_path_factory.mktemp("cases") / "ws")).root


@pytest.fixture
def cases(drawn: Path, tmp_path: Path) -> Workspace:
    return Workspace(shutil.copytree(drawn, tmp_path / "ws"))


@dataclass
class Served:
    """A page that is served.

    Attributes
    ----------
    address
        Where.
    end
        Stops the server and waits for it.
    """

    address: str
    end: Callable[[], None]


@pytest.fixture
def serve_page(cases: Workspace) -> Iterator[Callable[..., Served]]:
    """Give a function that serves the page of the workspace; what still runs is ended."""
    running: list[Served] = []

    def start(reviewer: str = "ann", hashes: list[str] | None = None) -> Served:
        addresses: Queue[str] = Queue()
        work = WorkContext(cases, cases.config())
        session = Session(reviewer, ready=addresses.put)
        if hashes is None:
            call = threading.Thread(target=session.near, args=(work, None, 0.1))
        else:
            call = threading.Thread(target=session.sample, args=(work, hashes, "sample"))
        call.start()
        served = Served(addresses.get(timeout=30), lambda: end(served.address, call))
        running.append(served)
        return served

    yield start
    for served in running:
        served.end()


@pytest.fixture
def start_command(cases: Workspace) -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Give a function that starts `curate review`; it returns the process and the page's address.

    What still runs at the end is killed.
    """
    running: list[subprocess.Popen[str]] = []

    def start(*options: object, browser: bool = False) -> tuple[subprocess.Popen[str], str]:
        fixed = ["--reviewer", "ann", "--workspace", str(cases.root)]
        fixed += [] if browser else ["--no-browser"]
        process = subprocess.Popen(
            [str(CURATE), "review", *fixed, *map(str, options)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("The page: http://127.0.0.1:")
        return process, line.split()[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def end(address: str, call: threading.Thread) -> None:
    from tests.review_page.asking import ask

    with suppress(OSError):  # it may be ending already, as the page has asked it to
        if call.is_alive():
            ask(address, "done", document={})
    call.join(timeout=30)
    assert not call.is_alive()


def decided(workspace: Workspace) -> list[Review]:
    """Return the decisions that stand, as another process reads them from the disk."""
    return ReviewJournal(Workspace(workspace.root)).current()
