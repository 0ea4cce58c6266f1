"""Where no temporary file can be made, what lacks is named, and workers start all the same."""

import resource
import signal
import tempfile
from pathlib import Path

import pytest

from tests.runner.doubling import Doubler
from tests.test_system_faults import no_open_files
from webemo_curate.runner.messages import Ready
from webemo_curate.runner.worker_process import WorkerProcess
from webemo_curate.system_faults import SystemFaultError, raise_system_fault
from webemo_curate.temporary_folder import temporary_folder


@pytest.fixture(autouse=True)
def not_asked_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `tempfile` seek the folder anew; it keeps what it has found."""
    monkeypatch.setattr(tempfile, "tempdir", None)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave only a folder that is missing; as root no other can be forbidden."""
    missing = str(tmp_path / "missing")
    monkeypatch.setenv("TMPDIR", missing)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [missing])


def test_it_is_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert temporary_folder() == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_lack_of_open_files_is_named() -> None:
    with no_open_files(), pytest.raises(SystemFaultError, match="limit of open files"):
        temporary_folder()


def test_a_limit_of_the_size_of_files_is_named() -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(SystemFaultError, match="File too large; raise the limit"):
            temporary_folder()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.usefixtures("nowhere")
def test_without_any_folder_the_message_says_how_to_name_one() -> None:
    with pytest.raises(SystemFaultError, match="set TMPDIR to a folder that has room and run"):
        temporary_folder()


@pytest.mark.usefixtures("nowhere")
def test_a_library_that_finds_no_folder_is_understood() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        tempfile.mkdtemp()
    with pytest.raises(SystemFaultError, match="set TMPDIR"):
        raise_system_fault(caught.value)


@pytest.mark.usefixtures("nowhere")
def test_a_worker_that_would_be_copied_starts_without_one() -> None:
    process = WorkerProcess(Doubler(), modules=["tests.runner.doubling"])
    try:
        assert process.receive() == Ready()
    finally:
        process.kill()
