"""Measure rates of work on a GPU, with its utilization and memory, and the workers' memory."""

import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from statistics import mean

import psutil
import torch

from benchmarks.measure import MEGABYTE
from webemo_curate.runner.memory import held_bytes

QUERY = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]
SAMPLE_SECONDS = 0.5


class Watch:
    """Samples, while a block runs, the GPU's utilization (percent) and memory in use (MiB).

    Each sample's third number is the memory (MiB) that the largest of the processes below has for
    itself, the fourth that of all of them and of this one.
    """

    def __enter__(self) -> "Watch":
        self.samples: list[list[int]] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            output = subprocess.run(QUERY, capture_output=True, text=True, check=True).stdout
            on_gpu = [int(value) for value in output.splitlines()[0].split(",")]
            self.samples.append([*on_gpu, *_held()])


def _held() -> tuple[int, int]:
    """Return what the largest process below holds, and all of them and this one, in MiB."""
    children = [0]
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            children.append(held_bytes(child.pid))
    return max(children) // MEGABYTE, (sum(children) + held_bytes()) // MEGABYTE


def rate(work: Callable[[], object], images: int, name: str) -> float:
    """Run some work once; print and return its images a second."""
    if not torch.cuda.is_available():
        return _timed(work, images, name, lambda: "no GPU")
    with Watch() as watch:
        return _timed(work, images, name, lambda: _seen(watch))


def _timed(work: Callable[[], object], images: int, name: str, seen: Callable[[], str]) -> float:
    started = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    found = images / (time.perf_counter() - started)
    print(f"{name:<34} {found:8.1f} images/s  {seen()}", flush=True)
    return found


def _seen(watch: Watch) -> str:
    if not watch.samples:
        return "too short to sample"
    busy, held, worker, host = zip(*watch.samples, strict=True)
    return (
        f"GPU {mean(busy):.0f} %, {max(held)} MiB; largest worker {max(worker)} MiB, "
        f"host {max(host)} MiB"
    )
