"""A worker with a GPU: it runs the networks, and its helper processes do everything else.

A helper runs the same worker that runs alone on a CPU; only its detector's calls to networks come
here. If a picture crashes a helper, the runner's own ledger handles it, row by row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from webemo_curate.ocr.feeding.crew import Crew
from webemo_curate.ocr.feeding.network_server import Filling, NetworkServer
from webemo_curate.runner.job import Job, Resources, Worker
from webemo_curate.runner.kept_tables import KeptTables
from webemo_curate.runner.ledger import Ledger
from webemo_curate.runner.reporting import rows_done
from webemo_curate.runner.scheduler import run_tasks

if TYPE_CHECKING:
    from webemo_curate.ocr.device_network import NetworkFile


@dataclass
class FedWorker:
    """One process with a GPU, and its helpers; a `runner.job.Worker`.

    Attributes
    ----------
    name
        Name of the work, for messages.
    worker
        The worker that each helper runs.
    networks
        The networks that this process runs for them, by name.
    helpers
        Number of helpers.
    rows_at_once
        Rows sent to a helper at a time.
    helper_bytes
        Most memory, in bytes, that a helper needs for itself.
    device
        `cuda` or `cpu`.
    """

    name: str
    worker: Worker
    networks: "Mapping[str, NetworkFile]"
    helpers: int
    rows_at_once: int
    helper_bytes: int
    device: str = "cuda"
    _crew: Crew | None = field(default=None, init=False, repr=False)
    _server: NetworkServer | None = field(default=None, init=False, repr=False)

    @property
    def output_schema(self) -> pa.Schema:
        """The worker's output schema."""
        return self.worker.output_schema

    def staffed(self, processes: int) -> "FedWorker":
        """Return this worker with a number of helpers; see `runner.job.Staffed`."""
        return replace(self, helpers=max(1, processes))

    def setup(self) -> None:
        """Load the networks while the helpers start; see `Worker.setup`."""
        self._crew = Crew(self.worker, self.helpers)
        self._server = NetworkServer(self.networks, self.device)
        self._crew.serve(self._server)

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Let helpers process rows; see `Worker.process`."""
        assert self._crew is not None, "setup() comes first"  # noqa: S101
        job = Job(
            self.name,
            self.worker,
            pa.Table.from_batches([batch]),
            KeptTables(),
            self.rows_at_once,
            Resources(memory_bytes=self.helper_bytes),
        )
        ledger = Ledger(job)
        for rows in run_tasks(job, ledger, self._crew):
            rows_done(rows)
        whole = ledger.result().unify_dictionaries().combine_chunks()
        return whole.to_batches()[0]

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the outcome of rows that killed this process; see `Worker.crashed`."""
        return self.worker.crashed(batch)

    def filling(self) -> Mapping[str, Filling]:
        """Return how full the batches were, by network."""
        return {} if self._server is None else self._server.filling

    def close(self) -> None:
        """End the helpers; they also end when this process does."""
        if self._crew is not None:
            self._crew.close()
