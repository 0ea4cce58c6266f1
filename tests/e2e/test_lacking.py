"""Commands on a machine that lacks something end with one message, and go on to the same result."""

import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest
import yaml

from tests.download.site import Site, answer, picture, running
from tests.e2e.conftest import CURATE, curate
from tests.e2e.test_invariants import rows_of
from webemo_curate.workspace import Workspace

PICTURES, READ = 100, 8
"""Pictures that are fetched, and of them those that are read and compared."""
CONNECTIONS = 64
FETCHED = ("listing", "fetch")
BOTH = "filter-text", "dedup"
ABORTED = 127
"""Exit code of a process that glibc ends where memory is short."""
READINGS = ("images", "ocr", "text", "features", "pairs", "duplicates")
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


@pytest.mark.parametrize("files", [17, 20, 28, 40])
def test_a_low_hard_limit_of_open_files_is_said_and_charges_no_url(
    fetch: list[str], fetched: Path, tmp_path: Path, files: int
) -> None:
    code, messages = limited(resource.RLIMIT_NOFILE, files, files, *fetch, "--workspace", tmp_path)
    assert code == 1, messages
    assert_said(messages, "Too many open files; raise the limit of open files (ulimit -n 65536)")
    curate(*fetch, "--workspace", tmp_path)
    assert_equal(tmp_path, fetched, FETCHED)


@pytest.mark.parametrize("mebibytes", [200, 320, 560, 640])
def test_too_little_address_space_for_the_libraries_is_said(fetched: Path, mebibytes: int) -> None:
    # OpenBLAS ended the process in words of its own, or Arrow's libraries without a word.
    bound = mebibytes * 2**20
    code, messages = limited(resource.RLIMIT_AS, bound, bound, "status", "--workspace", fetched)
    assert code == 1, messages
    assert_said(messages, "raise the limit of address space (ulimit -v unlimited)")
    (line,) = messages.splitlines()
    assert line.startswith("curate: ")


@pytest.fixture(scope="module")
def few(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a workspace with a few fetched pictures; tests copy it."""
    workspace = tmp_path_factory.mktemp("few")
    urls = [f"http://photos.example/{number}.jpg" for number in range(READ)]
    (workspace / "list.txt").write_text("".join(f"{url} {n}\n" for n, url in enumerate(urls)))
    settings = {
        "listing": {"lists": [str(workspace / "list.txt")]},
        "fetch": {"mirror": site.base, "ignore_robots": True, "rate": 1000.0},
        "images": {"partition_rows": 4},
        "filter_text": {"partition_rows": 2, "drawn": False},
        "workers": 1,
    }
    (workspace / "curate.yaml").write_text(yaml.safe_dump(settings))
    curate("fetch", "--workspace", workspace)
    return workspace


@pytest.fixture(scope="module")
def compared(few: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a workspace whose pictures were read and compared undisturbed."""
    workspace = tmp_path_factory.mktemp("compared") / "ws"
    shutil.copytree(few, workspace)
    curate("dedup", "--workspace", workspace)
    return workspace


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "limit", "lack", "commands"),
    [
        (resource.RLIMIT_FSIZE, 1500, "cannot be written: File too large", BOTH),
        (resource.RLIMIT_AS, 2**30, "memory", BOTH[:1]),  # for a table, or for another thread
        (resource.RLIMIT_NOFILE, 12, "Too many open files", BOTH),
    ],
)
def test_what_reading_text_and_comparing_lack_is_said_and_charges_no_picture(
    few: Path,
    compared: Path,
    tmp_path: Path,
    kind: int,
    limit: int,
    lack: str,
    commands: tuple[str, ...],
) -> None:
    workspace = tmp_path / "ws"
    shutil.copytree(few, workspace)
    for command in commands:
        code, messages = limited(kind, limit, limit, command, "--workspace", workspace)
        # How much memory the networks need differs by machine: what suffices is no fault. Where a
        # thread's data find none, the C library itself ends the process; nothing is lost then.
        assert code == 1 or (code in (0, ABORTED) and kind == resource.RLIMIT_AS), messages
        if code == ABORTED:
            assert "cannot allocate memory for thread-local data" in messages
        elif code:
            assert_said(messages, lack)
        curate(command, "--workspace", workspace)
    curate("dedup", "--workspace", workspace)
    assert_equal(workspace, compared, READINGS)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["images", "ocr", "features"])
def test_a_run_and_its_workers_that_were_stopped_for_a_while_end_alike(
    few: Path, compared: Path, tmp_path: Path, stage: str
) -> None:
    workspace = tmp_path / "ws"
    shutil.copytree(few, workspace)
    command = [str(CURATE), "dedup", "--workspace", str(workspace)]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL)
    assert run.stderr
    for line in run.stderr:
        if line.startswith(f"{stage}: runs"):
            stop_and_go_on(psutil.Process(run.pid))
    assert run.wait() == 0
    assert_equal(workspace, compared, READINGS)


def stop_and_go_on(run: psutil.Process) -> None:
    """Stop the workers, then the run too; let them go on in the same order."""
    while not (workers := run.children(recursive=True)):
        assert run.status() != psutil.STATUS_ZOMBIE, "it ended without a worker"
        time.sleep(0.01)
    for sign in (signal.SIGSTOP, signal.SIGCONT):
        for process in (*workers, run):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(sign)
            time.sleep(0.3)
