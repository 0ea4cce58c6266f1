"""One writer at a time on a store without locks: a lease that its holder keeps renewing.

Two commands that start in the same instant are told apart by reading back who wrote last. A holder
that died is found out by its silence, or at once if it was a process of this machine.
"""

import json
import logging
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from webemo_curate.errors import CurateError
from webemo_curate.storage.protocols import Store

logger = logging.getLogger(__name__)

RENEW_SECONDS = 10.0
SILENT_SECONDS = 35.0
"""Without a renewal for so long, a holder is taken for dead: three renewals and some."""

POLL_SECONDS = 1.0
READ_BACK_SECONDS = 0.2
"""Pause before a new lease is read back, in which a rival's write would arrive."""


class Lease:
    """The right to write below a prefix.

    Parameters
    ----------
    store : Store
        Holds the lease.
    key : str
        Under which it lies.
    host : str
        This machine.
    pid : int
        This process.
    """

    def __init__(self, store: Store, key: str, host: str, pid: int) -> None:
        self._store, self._key, self._host, self._pid = store, key, host, pid
        self._token = uuid.uuid4().hex
        self._beats = 0
        self._over = threading.Event()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Take the lease, renew it while the block runs, give it back.

        Raises
        ------
        CurateError
            If another living command holds it.
        """
        self._wait_for_silence()
        self._renew()
        time.sleep(READ_BACK_SECONDS)
        if not self._is_mine(self._read()):
            raise self._held_by(self._read())
        renewing = threading.Thread(target=self._keep, daemon=True)
        renewing.start()
        try:
            yield
        finally:
            self._over.set()
            renewing.join()
            if self._is_mine(self._read()):
                self._store.remove(self._key)

    def _wait_for_silence(self) -> None:
        """Return once nobody living holds the lease."""
        first = self._read()
        if first is None or self._died_here(first):
            return
        logger.info(
            "%s: held by process %s on %s; waiting up to %.0f s for a sign of life",
            self._store.where(self._key),
            first.get("pid"),
            first.get("host"),
            SILENT_SECONDS,
        )
        deadline = time.monotonic() + SILENT_SECONDS
        while time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            now = self._read()
            if now is None:
                return
            if now != first:
                raise self._held_by(now)

    def _keep(self) -> None:
        while not self._over.wait(RENEW_SECONDS):
            try:
                if self._is_mine(self._read()):
                    self._renew()
                    continue
            except (CurateError, OSError, MemoryError) as error:  # the thread must go on trying
                logger.warning("the lease was not renewed: %s", error)
                continue
            logger.error("%s: another command took this workspace", self._store.where(self._key))
            os.kill(os.getpid(), signal.SIGINT)
            return

    def _renew(self) -> None:
        self._beats += 1
        holder = {"host": self._host, "pid": self._pid, "token": self._token}
        document = holder | {"beats": self._beats}
        self._store.write(self._key, json.dumps(document).encode())

    def _read(self) -> dict[str, Any] | None:
        try:
            with self._store.open(self._key) as stream:
                document: dict[str, Any] = json.loads(stream.read())
        except (FileNotFoundError, ValueError):
            return None
        return document

    def _is_mine(self, document: dict[str, Any] | None) -> bool:
        return document is not None and document.get("token") == self._token

    def _died_here(self, document: dict[str, Any]) -> bool:
        if document.get("host") != self._host:
            return False
        try:
            os.kill(int(document["pid"]), 0)
        except ProcessLookupError:
            return True
        except (PermissionError, KeyError, TypeError, ValueError):
            return False
        return int(document["pid"]) == self._pid

    def _held_by(self, document: dict[str, Any] | None) -> CurateError:
        holder = f"process {document.get('pid')} on {document.get('host')}" if document else "one"
        return CurateError(
            f"{self._store.where(self._key)}: another curate command works here ({holder}); "
            "wait for it to end"
        )
