"""Rows are told of as they are done, within a partition; what is lost is taken back."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from webemo_curate.runner import reporting
from webemo_curate.runner.job import Job
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.runner.reporting import rows_done
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore

SCHEMA = pa.schema([("value", pa.int64())])
POISON = 3


@dataclass(frozen=True)
class Telling:
    """Tells of each row; the poisoned one kills its process."""

    @property
    def output_schema(self) -> pa.Schema:
        return SCHEMA

    def setup(self) -> None:
        reporting.TELL_SECONDS = 0.0

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        for value in batch["value"].to_pylist():
            if value == POISON:
                os.kill(os.getpid(), signal.SIGKILL)
            rows_done()
        return batch

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return batch


def moves(monkeypatch: pytest.MonkeyPatch, folder: Path, values: list[int]) -> list[int]:
    """Run a job in one worker, all rows a partition; return how the bar moved."""
    moved: list[int] = []
    monkeypatch.setattr(
        "webemo_curate.progress.ProgressBar.update", lambda _, units=1: moved.append(units)
    )
    monkeypatch.setattr("webemo_curate.runner.local_runner.SHARES", 1)
    rows = pa.table({"value": pa.array(values, pa.int64())})
    job = Job("tell", Telling(), rows, Checkpoints(FolderStore(folder), "c"), len(values))
    assert LocalRunner(1).run(job)["value"].to_pylist() == values
    return [move for move in moved if move]


def test_a_bar_moves_with_every_row_of_one_partition(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert moves(monkeypatch, tmp_path, [5, 6, 7, 8]) == [1, 1, 1, 1]


def test_rows_of_a_worker_that_died_are_taken_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    moved = moves(monkeypatch, tmp_path, [1, 2, POISON, 4])
    assert moved[:3] == [1, 1, -2]
    assert sum(moved) == 4
