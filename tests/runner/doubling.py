"""A job that doubles numbers on a worker that one of them kills, and how it is run on Ray."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from webemo_curate.config import PipelineConfig, RunnerConfig
from webemo_curate.errors import CurateError
from webemo_curate.runner.job import Job
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore

RAY = PipelineConfig(runner=RunnerConfig(kind="ray"), workers=1)
SCHEMA = pa.schema([("value", pa.int64()), ("doubled", pa.int64())])
POISON = 13


@dataclass(frozen=True)
class Doubler:
    """Doubles values; the poisoned one kills the process, as a hostile image might."""

    refuses: bool = False
    setups: Path | None = None
    ends_by: int = signal.SIGKILL

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
            os.kill(os.getpid(), self.ends_by)
        return pa.record_batch([values, [2 * value for value in values]], schema=SCHEMA)

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return pa.record_batch([batch["value"].to_pylist(), [-1] * batch.num_rows], schema=SCHEMA)


def job(folder: Path, values: list[int], size: int = 4, worker: Doubler | None = None) -> Job:
    """Return a job over values, in partitions of so many rows."""
    rows = pa.table({"value": pa.array(values, pa.int64())})
    checkpoints = Checkpoints(FolderStore(folder), "checkpoints")
    return Job("double", worker or Doubler(), rows, checkpoints, size)
