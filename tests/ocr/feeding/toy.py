"""A worker whose network is another process's: it asks it to double numbers."""

import errno
import os
import signal
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from webemo_curate.ocr.asking import Networks, networks_for

KILLS, FAILS, LACKS = 666, 13, 12
"""Numbers that end the process of the worker, make the network fail, or lack open files."""

INPUT = pa.schema([("number", pa.int64())])
OUTPUT = pa.schema([("number", pa.int64()), ("doubled", pa.int64()), ("by", pa.string())])


class Doubling:
    """The network: a `DeviceNetwork` of arrays of numbers."""

    def run(self, batch):
        if (batch == FAILS).any():
            raise ValueError("thirteen")
        if (batch == LACKS).any():
            raise OSError(errno.EMFILE, "too many open files")
        return (batch * 2,)

    def answers(self, outputs):
        return [(each,) for each in outputs[0]]


@dataclass(frozen=True)
class DoublingFile:
    """Where it comes from: a `NetworkFile`."""

    def open(self, device):
        assert device == "cpu"
        return Doubling()

    def entries(self, shape):
        return 4 if len(shape) == 2 else 1


FILES = {"doubling": DoublingFile()}


@dataclass
class Toy:
    """The worker; numbers of one length go to the network together."""

    networks: Networks | None = field(default=None, init=False)

    @property
    def output_schema(self):
        return OUTPUT

    def setup(self):
        self.networks = networks_for(FILES, "cpu")

    def process(self, batch):
        numbers = batch["number"].to_pylist()
        if KILLS in numbers:
            os.kill(os.getpid(), signal.SIGKILL)
        items = [np.full((1 + number % 3, 40_000), number) for number in numbers]
        try:
            found = [int(answer[0][0, 0]) for answer in self.networks.ask("doubling", items)]
        except Exception as error:
            if len(numbers) > 1:
                parts = [self.process(batch.slice(index, 1)) for index in range(len(numbers))]
                return pa.Table.from_batches(parts).combine_chunks().to_batches()[0]
            return rows(numbers, [-1], str(error))
        return rows(numbers, found, "network")

    def crashed(self, batch):
        return rows(batch["number"].to_pylist(), [0] * batch.num_rows, "crash")


def rows(numbers, doubled, by):
    """Return rows of the worker."""
    found = zip(numbers, doubled, strict=True)
    return pa.RecordBatch.from_pylist(
        [{"number": number, "doubled": twice, "by": by} for number, twice in found], schema=OUTPUT
    )
