"""Allow one writer at a time on a store without locks, by a lease that its holder renews.

The lease is taken, renewed and given back by conditional requests, so that of two commands that
start at the same moment only one gets it. A lease is taken over at once if its holder was a process
of this boot and this PID namespace that has ended. Otherwise it is taken over only after its holder
has been silent for so long that it has stopped writing by itself: a holder that could not renew in
time refuses its own writes.
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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from webemo_curate.errors import CurateError

logger = logging.getLogger(__name__)

RENEW_SECONDS = 10.0
FENCED_SECONDS = 25.0
"""Seconds without a renewal after which a holder writes no more."""

SILENT_SECONDS = 90.0
"""Seconds without a renewal after which a holder counts as dead. By then, any request that it began
within `FENCED_SECONDS` has ended (see `conditional.REQUEST_SECONDS`)."""

POLL_SECONDS = 1.0


class Stored(NamedTuple):
    """A lease as stored.

    Attributes
    ----------
    content
        Its JSON document.
    version
        Changes with every write.
    """

    content: bytes
    version: str


class LeaseObject(Protocol):
    """The object that represents a lease, written under conditions."""

    @property
    def where(self) -> str:
        """Its address, for messages."""

    def read(self) -> Stored | None:
        """Return the stored lease; None if there is none."""

    def write(self, content: bytes, version: str | None) -> str | None:
        """Write it if its version is the given one (None: if it is missing); return the new one.

        Return None if the condition does not hold.
        """

    def remove(self, version: str) -> None:
        """Remove it if its version is as given."""


@dataclass(frozen=True)
class Holder:
    """Identifies a process among those of all machines, boots and containers."""

    host: str
    pid: int
    boot: str
    namespace: str

    @classmethod
    def here(cls, host: str) -> "Holder":
        """Return this process."""
        return cls(host, os.getpid(), _boot(), _namespace())

    def died(self, document: dict[str, Any]) -> bool:
        """Return whether a holder was a process visible to this one, and has ended."""
        theirs = document.get("boot"), document.get("namespace")
        if theirs != (self.boot, self.namespace) or not all(theirs):
            return False
        pid = document.get("pid")
        if type(pid) is not int or pid <= 0:
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except (PermissionError, OverflowError):
            return False
        return pid == self.pid  # then left by an earlier process with the same PID


class Lease:
    """The right to write under a prefix.

    Parameters
    ----------
    place : LeaseObject
        The object that represents the lease.
    holder : Holder
        This process.
    """

    def __init__(self, place: LeaseObject, holder: Holder) -> None:
        self._place, self._holder = place, holder
        self._token = uuid.uuid4().hex
        self._beats = 0
        self._version: str | None = None
        self._renewed = 0.0
        self._over = threading.Event()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Take the lease, renew it while the block runs, then give it back.

        Raises
        ------
        CurateError
            If another living command holds it.
        """
        vacant = self._vacant()
        started = _now()
        self._version = self._place.write(self._document(), vacant)
        found = self._place.read()
        if not self._is_mine(found):
            raise self._held_by(found)
        self._renewed = started
        renewing = threading.Thread(target=self._keep, daemon=True)
        renewing.start()
        try:
            yield
        finally:
            self._over.set()
            renewing.join()
            self._give_back()

    def _give_back(self) -> None:
        try:
            if self._version is not None:
                self._place.remove(self._version)
        except (OSError, CurateError) as error:  # the work itself is done and stored
            logger.warning("the lease was not given back and runs out by itself: %s", error)

    def check(self) -> None:
        """Raise if another command may have taken the lease, so that nothing more is written.

        Raises
        ------
        CurateError
            If it was taken over, or not renewed in time.
        """
        if self._version is None or _now() - self._renewed > FENCED_SECONDS:
            raise CurateError(
                f"{self._place.where}: this command could not keep the workspace to itself (the "
                "store did not answer, or this machine slept); run it again: finished work is kept"
            )

    def _vacant(self) -> str | None:
        """Return the version to replace, once the lease has no living holder."""
        first = self._place.read()
        if first is None or self._holder.died(_parse(first)):
            return first and first.version
        logger.info(
            "%s: held by %s; waiting up to %.0f s for a sign of life",
            self._place.where,
            _name(_parse(first)),
            SILENT_SECONDS,
        )
        deadline = _now() + SILENT_SECONDS
        while _now() < deadline:
            time.sleep(POLL_SECONDS)
            now = self._place.read()
            if now is None:
                return None
            if now.version != first.version:
                raise self._held_by(now)
        return first.version

    def _keep(self) -> None:
        while not self._over.wait(RENEW_SECONDS):
            try:
                started = _now()
                version = self._place.write(self._document(), self._version)
                if version is None and self._is_mine(self._place.read()):
                    continue  # a response was lost: the stored version is this process's own
            except (CurateError, OSError, MemoryError) as error:  # the thread must keep trying
                logger.warning("the lease was not renewed: %s", error)
                continue
            self._version, self._renewed = version, started
            if version is None:
                logger.error("%s: another command took this workspace", self._place.where)
                os.kill(os.getpid(), signal.SIGINT)
                return

    def _is_mine(self, stored: Stored | None) -> bool:
        """Return whether this process wrote an unexpected version; if so, continue from it."""
        if stored is None or _parse(stored).get("token") != self._token:
            return False
        self._version = stored.version
        return True

    def _document(self) -> bytes:
        self._beats += 1
        document = asdict(self._holder) | {"token": self._token, "beats": self._beats}
        return json.dumps(document).encode()

    def _held_by(self, stored: Stored | None) -> CurateError:
        holder = _name(_parse(stored)) if stored else "one that ended just now"
        return CurateError(
            f"{self._place.where}: another curate command works here ({holder}); wait for it to end"
        )


def _parse(stored: Stored) -> dict[str, Any]:
    """Return a lease's document; empty if this program did not write it."""
    try:
        document = json.loads(stored.content)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _name(document: dict[str, Any]) -> str:
    return f"process {document.get('pid')} on {document.get('host')}"


def _now() -> float:
    """Return seconds of a clock that also runs while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not on Linux
        return ""


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - no file, but a name
    except OSError:
        return ""
