"""The main function of a helper, a worker whose networks run in another process."""

from dataclasses import dataclass
from multiprocessing.connection import Connection

from webemo_curate.ocr.asking import served_by
from webemo_curate.ocr.feeding.link import Link
from webemo_curate.runner.arena import Arena
from webemo_curate.runner.job import Worker
from webemo_curate.runner.worker_process import serve_worker


@dataclass(frozen=True)
class Staff:
    """What a helper's process receives at its start.

    Attributes
    ----------
    worker
        The worker it runs.
    arena
        Memory shared with the process that runs the networks.
    """

    worker: Worker
    arena: Arena


def serve_helper(connection: Connection, staff: Staff) -> None:
    """Process batches until the pipe closes, sending calls to networks through the same pipe."""
    with served_by(Link(connection, staff.arena)):
        serve_worker(connection, staff.worker)
