"""A worker that dies while it waits is nobody's fault, whatever is handed to it next."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pytest

from tests.runner.doubling import POISON, Doubler, job
from webemo_curate.config import PipelineConfig, RunnerConfig
from webemo_curate.runner.factory import make_runner
from webemo_curate.runner.job import Job

ROWS, SIZE = 32, 4


@dataclass(frozen=True)
class Meeting(Doubler):
    """Reads the poisoned rows once a note lies there; else says which process it is."""

    place: Path = field(default_factory=Path)

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if POISON in batch["value"].to_pylist():
            until((self.place / "note").exists)
        else:
            (self.place / "process").write_text(str(os.getpid()))
        return super().process(batch)


def until(holds: Callable[[], bool]) -> None:
    while not holds():
        time.sleep(0.02)


def end_who_waits(work: Job, place: Path) -> None:
    """Kill the worker that has nothing left to do, before the other dies of its rows."""
    until(lambda: len(work.checkpoints.finished()) == ROWS // SIZE - 1)
    time.sleep(0.2)
    os.kill(int((place / "process").read_text()), signal.SIGKILL)
    time.sleep(0.2)
    (place / "note").touch()


@pytest.mark.parametrize("kind", ["local", pytest.param("ray", marks=pytest.mark.slow)])
def test_rows_handed_to_a_worker_that_died_at_rest_are_not_charged(
    kind: Literal["local", "ray"], tmp_path: Path
) -> None:
    runner = make_runner(PipelineConfig(runner=RunnerConfig(kind=kind), workers=2))
    values = [POISON, *(number for number in range(ROWS) if number != POISON)]
    work = job(tmp_path, values, size=SIZE, worker=Meeting(place=tmp_path))
    with ThreadPoolExecutor() as pool:
        ending = pool.submit(end_who_waits, work, tmp_path)
        found = runner.run(work)
        ending.result()
    assert found["doubled"].to_pylist() == [-1, *(2 * value for value in values[1:])]
    runner.close()
