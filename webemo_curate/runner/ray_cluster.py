"""Join a Ray cluster: an existing one, or one started on this machine."""

import logging
import os
import secrets
import socket
import sys
from typing import Any

from webemo_curate.errors import CurateError
from webemo_curate.machine import usable_cores

OBJECT_STORE_BYTES = 256 * 2**20
"""Bytes of a local cluster's object store; only batches pass through it, not images."""

KNOCK_SECONDS = 5.0

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # The ledger reports deaths; Ray would print a paragraph to standard output as well.
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
}
LOCAL = QUIET | {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    # Despite its name, and on any system, '0' makes Ray's servers listen on loopback only. An
    # address such as 127.0.0.2 does not: the servers then listen everywhere but report otherwise.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Ray's own niceness of 15 starves workers beside anything else that runs here: a set-up of two
    # seconds took minutes.
    "RAY_worker_niceness": "0",
}
"""Environment of a local cluster: it makes no outside calls, and accepts none without its token."""


def meet_cluster(address: str | None, workers: int) -> bool:
    """Join a cluster, or start one here; do nothing if this process has already joined one.

    Parameters
    ----------
    address : str or None
        `host:port` of the cluster; None to start one on this machine.
    workers : int
        Least number of workers that a cluster started here has room for.

    Returns
    -------
    bool
        Whether this call joined the cluster; its caller must then leave it.

    Raises
    ------
    CurateError
        If there is no cluster, or it cannot be joined.
    """
    if "ray" not in sys.modules:  # Ray reads these variables when it is imported
        os.environ.update((QUIET if address else LOCAL) | os.environ)
    if ray_module().is_initialized():
        return False
    try:
        if address:
            _join(address)
        else:
            # Never the cluster noted in Ray's temporary folder: it may be another user's, or long
            # gone.
            _start(max(usable_cores(), workers))
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise CurateError(
            f"--run-on ray: no cluster at {address or 'this machine'} ({error}); start one "
            "with 'ray start --head', or correct --ray-address or RAY_ADDRESS"
        ) from error
    return True


def ray_module() -> Any:
    """Import Ray only when it is used, so that other commands do not wait for it."""
    import ray

    return ray


def places_for(needs: dict[str, float]) -> int:
    """Return how many workers the cluster's nodes have room for."""
    wanted = {name: amount for name, amount in needs.items() if amount}
    alive = [node["Resources"] for node in ray_module().nodes() if node["Alive"]]
    return sum(
        int(min((node.get(name, 0) / amount for name, amount in wanted.items()), default=1))
        for node in alive
    )


def _join(address: str) -> None:
    _knock(address)
    _init(address=address)


def _start(cpus: int) -> None:
    _init(
        address="local",
        num_cpus=cpus,
        object_store_memory=OBJECT_STORE_BYTES,
        include_dashboard=False,
    )


def _init(**options: Any) -> None:
    ray_module().init(log_to_driver=False, logging_level=logging.ERROR, **options)


def _knock(address: str) -> None:
    """Raise ConnectionError if nobody listens at an address; Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdigit():
        try:
            socket.create_connection((host, int(port)), KNOCK_SECONDS).close()
        except OSError as error:
            raise ConnectionError(error.strerror) from error
