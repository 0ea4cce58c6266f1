"""Commands on a machine that lacks something end with one message, and go on to the same result."""

import resource
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.download.site import Site, answer, picture, running
from tests.e2e.conftest import CURATE, curate
from tests.e2e.test_invariants import rows_of
from webemo_curate.workspace import Workspace

PICTURES = 100
CONNECTIONS = 64
FETCHED = ("listing", "fetch")
GO_ON = "run the same command again: finished work is kept"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running() as served:
        for number in range(PICTURES):
            served.answers[f"/{number}.jpg"] = answer(picture(number))
        yield served


@pytest.fixture(scope="module")
def fetch(site: Site, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Give the command that fetches all pictures, over as many connections as may be."""
    file = tmp_path_factory.mktemp("lists") / "list.txt"
    urls = [f"http://photos.example/{number}.jpg" for number in range(PICTURES)]
    file.write_text("".join(f"{url} {number % 25}\n" for number, url in enumerate(urls)))
    options = ("--rate", "1000", "--concurrency", str(CONNECTIONS), "--ignore-robots")
    return ["fetch", "--lists", str(file), "--mirror", site.base, *options]


@pytest.fixture(scope="module")
def fetched(fetch: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a workspace that was fetched undisturbed; tests only read it."""
    workspace = tmp_path_factory.mktemp("fetched")
    curate(*fetch, "--workspace", workspace)
    assert set(Workspace(workspace).read("fetch")["status"].to_pylist()) == {"ok"}
    return workspace


def limited(kind: int, soft: int, hard: int, *arguments: object) -> tuple[int, str]:
    """Run the command with a limit of what it may have; return its exit code and messages."""
    done = subprocess.run(
        [str(CURATE), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=partial(resource.setrlimit, kind, (soft, hard)),
        timeout=240,
    )
    return done.returncode, done.stderr


def assert_said(messages: str, lack: str) -> None:
    """Check that the last line alone tells the fault."""
    assert "Traceback" not in messages
    assert "Warning" not in messages
    (told,) = [line for line in messages.splitlines() if line.startswith("curate: ")]
    assert lack in told
    assert told.endswith(GO_ON)


def assert_equal(workspace: Path, undisturbed: Path, names: tuple[str, ...]) -> None:
    for name in names:
        ours, theirs = (Workspace(place).read(name) for place in (workspace, undisturbed))
        assert rows_of(ours) == rows_of(theirs)


def test_a_low_soft_limit_of_open_files_is_raised(
    fetch: list[str], fetched: Path, tmp_path: Path
) -> None:
    code, messages = limited(resource.RLIMIT_NOFILE, 32, 4096, *fetch, "--workspace", tmp_path)
    assert code == 0, messages
    assert_equal(tmp_path, fetched, FETCHED)


@pytest.mark.parametrize("files", [20, 28, 40])
def test_a_low_hard_limit_of_open_files_is_said_and_charges_no_url(
    fetch: list[str], fetched: Path, tmp_path: Path, files: int
) -> None:
    code, messages = limited(resource.RLIMIT_NOFILE, files, files, *fetch, "--workspace", tmp_path)
    assert code == 1, messages
    assert_said(messages, "Too many open files; raise the limit of open files (ulimit -n 65536)")
    curate(*fetch, "--workspace", tmp_path)
    assert_equal(tmp_path, fetched, FETCHED)
