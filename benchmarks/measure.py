"""Measure wall time, CPU time and memory of a command and all processes below it."""

import ctypes
import os
import resource
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.2
MEGABYTE = 2**20
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes
    ----------
    seconds
        Wall time.
    cpu_seconds
        User and system time of the command and its children.
    peak_bytes
        Largest sum of resident set sizes over the process tree, sampled.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def run(command: Sequence[str | Path], log: Path) -> Cost:
    """Run a command to its end.

    Parameters
    ----------
    command : sequence of str or Path
        Program and arguments.
    log : Path
        Gets its output.

    Returns
    -------
    Cost
        What it took.

    Raises
    ------
    RuntimeError
        If it fails, with the end of its output.
    """
    os.sync()  # what others wrote must not be paid for here
    others = {*_children(os.getpid())}
    _adopt_orphans()
    before, started = _children_cpu(), time.monotonic()
    with log.open("wb") as stream:
        process = subprocess.Popen([str(c) for c in command], stdout=stream, stderr=stream)
        peak = _Peak(process.pid)
        code = process.wait()
        seconds = time.monotonic() - started
        _wait_for_orphans(others)
    if code:
        raise RuntimeError(f"{command[0]} ended with {code}: {log.read_text()[-2000:]}")
    return Cost(seconds, _children_cpu() - before, peak.stop())


class _Peak:
    """Samples the memory of a process tree in a thread."""

    def __init__(self, pid: int) -> None:
        self._pid, self._bytes = pid, 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Return the largest sum seen."""
        self._done.set()
        self._thread.join()
        return self._bytes

    def _watch(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self._bytes = max(self._bytes, sum(map(_memory, process_tree(self._pid))))


def _adopt_orphans() -> None:
    """Make this process the parent of those below it whose parents end, so that they count too."""
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError("prctl failed")


def _wait_for_orphans(others: set[int]) -> None:
    """Wait for what a command has left behind: all children but those that were there before."""
    while left := set(_children(os.getpid())) - others:
        for pid in left:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def process_tree(pid: int) -> list[int]:
    """Return a process and all below it."""
    pids = [pid]
    for parent in pids:
        pids += _children(parent)
    return pids


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it ended meanwhile
            found += map(int, task.read_text().split())
    return found


def _memory(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except OSError:
        return 0  # it ended meanwhile
