"""The Ray engine: actors on a cluster that is there, or on one of this machine for the command."""

import logging
import math
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from webemo_curate.config import EngineConfig
from webemo_curate.engine.base import Job, Resources
from webemo_curate.engine.driver import run_job
from webemo_curate.engine.local import usable_cores
from webemo_curate.engine.process import environment
from webemo_curate.errors import CurateError, InputError

if TYPE_CHECKING:
    from webemo_curate.engine.actors import Actors

GIGABYTE = 10**9

QUIET = {
    # Deaths of workers are told by us, once; Ray prints a paragraph on each to standard output.
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
    "RAY_USAGE_STATS_ENABLED": "0",
}
OWN_CLUSTER = {
    # Ray's servers run whatever a client sends: nobody but this process may know how to ask.
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    # Despite its name: '0' makes Ray listen on loopback alone, on any system.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}
"""What a cluster of our own is started under; Ray reads it when it is first imported."""

CLIENT = "ray://"
"""Before addresses that are spoken to through Ray's client, from outside the cluster."""
REACH_SECONDS = 10.0

OBJECT_STORE_BYTES = 128 * 2**20
"""Batches of rows and their results pass through it, never pictures."""


class RayEngine:
    """Runs partitions in Ray actors; a killed run goes on from its checkpoints.

    Ray is imported and reached at the first job that has something to do. Every node must have
    this package and see the workspace at the same path.

    Parameters
    ----------
    config : EngineConfig
        Which cluster, and what a worker gets of it in place of what its stage asks for.
    workers : int, optional
        Actors; default as many as fit.
    """

    def __init__(self, config: EngineConfig, workers: int | None = None) -> None:
        self._config, self._workers = config, workers
        self._connected = False

    def run(self, job: Job) -> pa.Table:
        """Run a job; see `Engine.run`."""
        return run_job(job, lambda: self._actors(job))

    def close(self) -> None:
        """Leave the cluster; one that this engine started ends."""
        if self._connected:
            import ray

            ray.shutdown()
            self._connected = False

    @contextmanager
    def _actors(self, job: Job) -> "Iterator[Actors]":
        needs = self._needs(job.resources)
        self._connect(needs)
        from webemo_curate.engine.actors import Actors

        yield Actors(job, needs, self._workers, grows=self._config.address is not None)

    def _needs(self, asked: Resources) -> Resources:
        config, changes = self._config, dict[str, Any]()
        if config.cpus is not None:
            changes["cpus"] = config.cpus
        if config.gpus is not None:
            changes["gpus"] = config.gpus
        if config.memory is not None:
            changes["memory_bytes"] = int(config.memory * GIGABYTE)
        return replace(asked, **changes)

    def _connect(self, needs: Resources) -> None:
        if self._connected:
            return
        address = self._config.address
        if address:
            _check_reachable(address)
        with environment(QUIET if address else QUIET | OWN_CLUSTER):
            import ray

            if ray.is_initialized():
                return  # the calling program's; it is not ours to shut down
            where = {"address": address} if address else self._own_cluster(needs)
            try:
                ray.init(**where, log_to_driver=False, logging_level=logging.ERROR)
            except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
                place = f"--ray-address {address}: no cluster answers" if address else "Ray fails"
                raise CurateError(f"{place}: {error}") from error
        self._connected = True

    def _own_cluster(self, needs: Resources) -> dict[str, Any]:
        """Return how to start one on this machine: with room for the workers asked for."""
        return {
            "address": "local",
            "num_cpus": max(usable_cores(), math.ceil((self._workers or 0) * needs.cpus)),
            "object_store_memory": OBJECT_STORE_BYTES,
            "include_dashboard": False,
        }


def _check_reachable(address: str) -> None:
    """Fail at once where nobody listens: Ray would try again for many minutes."""
    host, _, port = address.removeprefix(CLIENT).rpartition(":")
    if address == "auto":
        return
    if not host or not port.isdigit():
        raise InputError(f"--ray-address {address}: give host:port of the cluster's head node")
    try:
        socket.create_connection((host, int(port)), REACH_SECONDS).close()
    except OSError as error:
        raise CurateError(f"--ray-address {address}: no cluster answers: {error}") from error
