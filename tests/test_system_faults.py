"""What the machine lacks ends a run with one message; it is never a verdict on a row."""

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pytest

from tests.runner.cluster import leave_cluster
from tests.runner.doubling import Doubler, job
from webemo_curate.config import PipelineConfig, RunnerConfig
from webemo_curate.errors import CurateError
from webemo_curate.manifest import read_info, read_manifest
from webemo_curate.runner import scheduler as driver
from webemo_curate.runner.factory import make_runner
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.storage.atomic import write_bytes
from webemo_curate.system_faults import REMEDIES, SystemFaultError, raise_system_fault


@contextmanager
def no_open_files() -> Iterator[None]:
    """Open files until no more can be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    held = []
    try:
        while True:
            try:
                held.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        yield
    finally:
        for number in held:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("code", sorted(REMEDIES))
def test_each_fault_says_what_to_do_and_that_work_is_kept(code: int) -> None:
    cause = OSError(code, os.strerror(code))
    wrapped = ValueError("a broken picture")
    wrapped.__cause__ = cause
    with pytest.raises(SystemFaultError, match="run the same command again") as caught:
        raise_system_fault(wrapped, "a.jpg")
    assert caught.value.exit_code == 1
    assert str(caught.value).startswith(f"a.jpg: {os.strerror(code)}; ")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("can't start new thread"),
        pa.ArrowException("Unknown error: Failed to launch worker thread: Resource unavailable"),
    ],
)
def test_a_thread_that_cannot_be_started_is_the_machines_fault(error: Exception) -> None:
    with pytest.raises(SystemFaultError, match="the system is short of processes or memory"):
        raise_system_fault(error, "listing.parquet")


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EACCES, errno.EINVAL, None])
def test_what_may_be_the_files_fault_is_left_to_the_caller(code: int | None) -> None:
    raise_system_fault(OSError(code, "broken") if code else ValueError("broken"))


def test_a_fault_that_a_library_swallowed_is_found() -> None:
    with no_open_files(), pytest.raises(SystemFaultError, match="limit of open files"):
        raise_system_fault(ValueError("cannot identify image file"))


def test_a_manifest_that_cannot_be_opened_is_not_called_broken(tmp_path: Path) -> None:
    (tmp_path / "train.parquet").write_bytes(b"PAR1")
    with no_open_files():
        with pytest.raises(SystemFaultError):
            read_manifest(tmp_path / "train.parquet", "train")
        with pytest.raises(SystemFaultError):
            read_info(tmp_path / "train.parquet")


SHORT_OF_MEMORY = """
import resource, sys
from pathlib import Path
from webemo_curate.system_faults import raise_system_fault
held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + 2**23, held + 2**23))
try:
    exec(sys.argv[1])
except (MemoryError, ImportError) as error:
    raise_system_fault(error, "a.jpg")
print("a verdict")
"""


@pytest.mark.parametrize("wanted", ["bytearray(2**31)", "import _duckdb"])
def test_lack_of_memory_is_the_machines_fault(wanted: str) -> None:
    program = [sys.executable, "-c", SHORT_OF_MEMORY, wanted]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (
        "a.jpg: Cannot allocate memory; raise the limit of address space (ulimit -v" in done.stderr
    )
    assert "a verdict" not in done.stdout


@pytest.mark.parametrize("error", [MemoryError(), OSError("out of memory error")])
def test_a_picture_that_asks_for_an_absurd_amount_is_itself_at_fault(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webemo_curate.system_faults.WORKING_MEMORY_BYTES", 2**20)
    raise_system_fault(error)


def test_a_file_that_outgrows_its_limit_names_the_limit(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(CurateError, match="File too large; raise the limit"):
            write_bytes(tmp_path / "large", bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == []


def fill_the_disk() -> None:
    Path("/dev/full").write_bytes(b"x")


def read_a_failing_drive() -> None:
    with Path("/proc/self/mem").open("rb", buffering=0) as memory:
        memory.read(16)  # what is mapped nowhere: an input/output error, with no broken drive


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (fill_the_disk, "a.jpg: No space left on device; free some space"),
        (read_a_failing_drive, "a.jpg: Input/output error; check the drive"),
    ],
)
def test_a_full_disk_or_failing_drive_is_named(step: Callable[[], None], words: str) -> None:
    with pytest.raises(OSError, match=r"\w") as caught:
        step()
    with pytest.raises(SystemFaultError, match=words):
        raise_system_fault(caught.value, "a.jpg")


@dataclass(frozen=True)
class Starved(Doubler):
    """Runs out of open files while a note lies there."""

    note: Path | None = None

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self.note and self.note.exists():
            raise OSError(errno.EMFILE, "Too many open files")
        return super().process(batch)


@pytest.mark.parametrize("kind", ["local", pytest.param("ray", marks=pytest.mark.slow)])
def test_a_workers_fault_ends_the_run_and_the_same_job_goes_on(
    kind: Literal["local", "ray"], tmp_path: Path
) -> None:
    runner = make_runner(PipelineConfig(runner=RunnerConfig(kind=kind), workers=1))
    note = tmp_path / "note"
    note.touch()
    starved = job(tmp_path / "ours", [1, 2, 3], worker=Starved(note=note))
    with pytest.raises(SystemFaultError, match="raise the limit of open files") as caught:
        runner.run(starved)
    assert "Traceback" not in str(caught.value)
    note.unlink()
    undisturbed = runner.run(job(tmp_path / "other", [1, 2, 3]))
    assert runner.run(starved).equals(undisturbed)
    leave_cluster()


@dataclass(frozen=True)
class LimitTeller(Doubler):
    """Returns the soft limit of open files of its process."""

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        values = batch["value"].to_pylist()
        return pa.record_batch([values, [soft] * len(values)], schema=self.output_schema)


def test_the_soft_limit_of_open_files_is_raised_here_and_in_workers(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        told = LocalRunner(1).run(job(tmp_path, [1], worker=LimitTeller()))
        wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
        assert told["doubled"].to_pylist() == [wanted]
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == wanted
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("ends_by", [signal.SIGKILL, signal.SIGTERM], ids=["Linux", "earlyoom"])
def test_a_worker_that_is_killed_for_want_of_memory_charges_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends_by: int
) -> None:
    poisoned = job(tmp_path, [11, 12, 13], worker=Doubler(ends_by=ends_by))
    monkeypatch.setattr(driver, "has_working_memory", lambda _: False)
    with pytest.raises(SystemFaultError, match="free some memory, or use fewer workers"):
        LocalRunner(1).run(poisoned)
    monkeypatch.setattr(driver, "has_working_memory", lambda _: True)
    assert LocalRunner(1).run(poisoned)["doubled"].to_pylist() == [22, 24, -1]


SCRIPT = """
from pathlib import Path
import sys
from tests.runner.doubling import job
from webemo_curate.runner.local_runner import LocalRunner
print(LocalRunner(2).run(job(Path(sys.argv[1]), [1, 2, 3], size=1))["doubled"].to_pylist())
"""
NOTEBOOK = """
import sys  # as a notebook runs a cell: in its main module, from no file
exec(compile(open(sys.argv[2]).read(), "<ipython-input-1>", "exec"), {"__name__": "__main__"})
"""


@pytest.mark.parametrize("way", ["script", "standard input", "command", "cell"])
def test_workers_start_however_the_caller_was_started(way: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    place = str(tmp_path / "work")
    arguments, given = {
        "script": ([str(script), place], None),
        "standard input": (["-", place], SCRIPT),
        "command": (["-c", SCRIPT, place], None),
        "cell": (["-c", NOTEBOOK, place, str(script)], None),
    }[way]
    done = subprocess.run(
        [sys.executable, *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        timeout=120,
    )
    assert done.stdout.splitlines() == ["[2, 4, 6]"], done.stderr
    assert done.returncode == 0
