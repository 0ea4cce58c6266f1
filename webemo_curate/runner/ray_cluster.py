"""Meeting a Ray cluster: one that is there, or one of our own on this machine."""

import logging
import os
import secrets
import socket
import sys
from typing import Any

from webemo_curate.errors import CurateError
from webemo_curate.runner.local_runner import usable_cores

OBJECT_STORE_BYTES = 256 * 2**20
"""Of a local cluster: batches pass through it, images do not."""

KNOCK_SECONDS = 5.0

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # What died is told by the ledger; Ray would print a paragraph to standard output as well.
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
}
LOCAL = QUIET | {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    # Despite its name and on any system, '0' makes Ray's servers listen on loopback alone. An
    # address such as 127.0.0.2 does not: they then listen everywhere and merely say otherwise.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Ray's own niceness of 15 starves workers beside anything else that runs here: a set-up of two
    # seconds took minutes.
    "RAY_worker_niceness": "0",
}
"""Environment of a cluster of our own: it calls nobody, and nobody without its token calls it."""


def meet_cluster(address: str | None, workers: int) -> bool:
    """Join a cluster, or start one here; nothing is done where this process has met one.

    Parameters
    ----------
    address : str or None
        `host:port` of the cluster; None for one of our own.
    workers : int
        Places that one of our own has at least.

    Returns
    -------
    bool
        Whether the cluster was met by this call, so that its caller leaves it.

    Raises
    ------
    CurateError
        If there is none, or it cannot be joined.
    """
    if "ray" not in sys.modules:  # it reads these when it is imported
        os.environ.update((QUIET if address else LOCAL) | os.environ)
    if ray_module().is_initialized():
        return False
    try:
        if address:
            _join(address)
        else:
            # Never the cluster that Ray would find noted in its temporary folder: it may be
            # another's, or long gone.
            _start(max(usable_cores(), workers))
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise CurateError(
            f"--run-on ray: no cluster at {address or 'this machine'} ({error}); start one "
            "with 'ray start --head', or correct --ray-address or RAY_ADDRESS"
        ) from error
    return True


def ray_module() -> Any:
    """Import Ray where it is used: commands without it must not wait for it."""
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
    """Raise ConnectionError where nobody listens: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdigit():
        try:
            socket.create_connection((host, int(port)), KNOCK_SECONDS).close()
        except OSError as error:
            raise ConnectionError(error.strerror) from error
