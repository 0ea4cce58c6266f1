"""Rates of work on a GPU, with its utilisation and memory while it works."""

import subprocess
import threading
import time
from collections.abc import Callable
from statistics import mean

import torch

QUERY = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]
SAMPLE_SECONDS = 0.5


class Watch:
    """Samples the GPU's utilisation (percent) and memory in use (MiB) while a block runs."""

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
            self.samples.append([int(value) for value in output.splitlines()[0].split(",")])


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
    busy, held = zip(*watch.samples, strict=True)
    return f"GPU {mean(busy):.0f} %, {max(held)} MiB"
