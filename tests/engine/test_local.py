"""The local engine: equal results however it is run, and only the guilty row is charged."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from webemo_curate.engine.base import Job
from webemo_curate.engine.local import LocalEngine
from webemo_curate.errors import CurateError
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore

SCHEMA = pa.schema([("value", pa.int64()), ("doubled", pa.int64())])
POISON = 13


@dataclass(frozen=True)
class Doubler:
    """Doubles values; the poisoned one kills the process, as a hostile image might."""

    refuses: bool = False
    setups: Path | None = None

    @property
    def output_schema(self) -> pa.Schema:
        return SCHEMA

    def setup(self) -> None:
        if self.refuses:
            raise CurateError("no model here")
        if self.setups:
            with self.setups.open("a") as log:
                log.write(f"{os.getpid()}\n")

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        values = batch["value"].to_pylist()
        if POISON in values:
            os.kill(os.getpid(), signal.SIGKILL)
        return pa.record_batch([values, [2 * value for value in values]], schema=SCHEMA)

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return pa.record_batch([batch["value"].to_pylist(), [-1] * batch.num_rows], schema=SCHEMA)


def job(folder: Path, values: list[int], size: int = 4, worker: Doubler | None = None) -> Job:
    rows = pa.table({"value": pa.array(values, pa.int64())})
    checkpoints = Checkpoints(FolderStore(folder), "checkpoints")
    return Job("double", worker or Doubler(), rows, checkpoints, size)


@pytest.mark.parametrize(("workers", "size"), [(1, 3), (3, 4), (2, 100)])
def test_result_is_the_same_however_it_is_run(tmp_path: Path, workers: int, size: int) -> None:
    values = [value for value in range(25) if value != POISON]
    result = LocalEngine(workers).run(job(tmp_path, values, size))
    assert result["doubled"].to_pylist() == [2 * value for value in values]


def test_only_the_row_that_kills_its_worker_is_charged(tmp_path: Path) -> None:
    result = LocalEngine(2).run(job(tmp_path, list(range(20)), 5))
    assert result["value"].to_pylist() == list(range(20))
    crashed = [v for v, d in zip(*result.to_pydict().values(), strict=True) if d == -1]
    assert crashed == [POISON]


def test_finished_partitions_are_not_run_again(tmp_path: Path) -> None:
    first = LocalEngine(1).run(job(tmp_path, [1, 2, 3, 4]))
    refusing = job(tmp_path, [1, 2, 3, 4], worker=Doubler(refuses=True))
    assert LocalEngine(1).run(refusing).equals(first)


def test_error_of_setup_reaches_the_user(tmp_path: Path) -> None:
    with pytest.raises(CurateError, match="no model here"):
        LocalEngine(1).run(job(tmp_path, [1], worker=Doubler(refuses=True)))


def test_a_process_sets_its_worker_up_once_for_all_its_partitions(tmp_path: Path) -> None:
    log = tmp_path / "setups"
    LocalEngine(2).run(job(tmp_path, [1] * 24, 2, Doubler(setups=log)))
    processes = log.read_text().split()
    assert 1 <= len(processes) <= 2
    assert len(set(processes)) == len(processes)


def test_no_rows_give_no_rows(tmp_path: Path) -> None:
    assert LocalEngine(2).run(job(tmp_path, [])).num_rows == 0
