"""Look up host names within a deadline, each on a thread that may be abandoned.

libcurl looks names up on twenty threads, so that twenty names whose servers never answer would
block all others. Here such a name only occupies a thread that nobody waits for.
"""

import asyncio
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from webemo_curate.download.failures import check_descriptors
from webemo_curate.download.outcome import AttemptError
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import FetchStatus

HELD_SECONDS = 60.0
"""Seconds for which addresses are reused, as in libcurl; failed look-ups are not stored."""

MAX_HELD = 10_000
"""Most hosts whose addresses are kept."""

MAX_LOOKUPS = 512
"""Most threads at once: twice the requests under way, because abandoned look-ups count too."""

Look = Callable[[str], list[str]]


class _LookUp(NamedTuple):
    begun: asyncio.Event
    answer: "asyncio.Task[list[str]]"


def look_up(host: str) -> list[str]:
    """Return a name's addresses from the system's resolver, in its order; raises OSError."""
    found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
    return [address for address in addresses if "%" not in address]


class Names:
    """Looks names up; callers that ask for one name at about the same time share a look-up.

    Parameters
    ----------
    look : callable, optional
        The resolver; it may block forever.
    """

    def __init__(self, look: Look = look_up) -> None:
        self._look = look
        self._held: OrderedDict[str, tuple[float, list[str]]] = OrderedDict()
        self._under_way: dict[str, _LookUp] = {}
        self._slots = asyncio.Semaphore(MAX_LOOKUPS)

    async def addresses(self, host: str, seconds: float) -> tuple[list[str], float]:
        """Return the addresses of a host.

        Parameters
        ----------
        host : str
            A name in ASCII.
        seconds : float
            Time limit of the look-up.

        Returns
        -------
        list of str
            Addresses in the resolver's order; at least one.
        float
            Seconds for which no thread was free for the look-up, which do not count against its
            limit: those threads may hang at other names.

        Raises
        ------
        AttemptError
            If the name has no address, or no answer came in time.
        SystemFaultError
            If the system lacks what a look-up needs.
        """
        expires, found = self._held.get(host, (0.0, []))
        if expires > time.monotonic():
            return found, 0.0
        loop = asyncio.get_running_loop()
        came, look_up = loop.time(), self._under_way.get(host) or self._begin(host)
        await look_up.begun.wait()
        waited = loop.time() - came
        try:
            return await asyncio.wait_for(asyncio.shield(look_up.answer), seconds), waited
        except TimeoutError:
            said = "operation timedout: name look-up"
            raise AttemptError(FetchStatus.TIMEOUT, said) from None
        except OSError as error:
            raise_system_fault(error, host)
            check_descriptors()  # a lack of descriptors looks like an unknown name
            raise AttemptError(FetchStatus.CONNECTION, "couldnt resolve host") from None

    def _begin(self, host: str) -> _LookUp:
        begun = asyncio.Event()
        answer = asyncio.create_task(self._ask(host, begun))
        answer.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._under_way[host] = _LookUp(begun, answer)
        return self._under_way[host]

    async def _ask(self, host: str, begun: asyncio.Event) -> list[str]:
        try:
            async with self._slots:
                begun.set()
                found = await self._on_a_thread(host)
        finally:
            del self._under_way[host]
        if not found:
            raise OSError("no address")
        self._held[host] = time.monotonic() + HELD_SECONDS, found
        self._held.move_to_end(host)
        if len(self._held) > MAX_HELD:
            self._held.popitem(last=False)
        return found

    def _on_a_thread(self, host: str) -> "asyncio.Future[list[str]]":
        """Look a name up on a daemon thread, which does not keep the program from ending."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[str]] = loop.create_future()

        def tell(addresses: list[str], error: Exception | None) -> None:
            if not found.done():
                found.set_exception(error) if error else found.set_result(addresses)

        def work() -> None:
            try:
                said: tuple[list[str], Exception | None] = self._look(host), None
            except Exception as error:
                said = [], error
            with suppress(RuntimeError):  # the run is over
                loop.call_soon_threadsafe(tell, *said)

        threading.Thread(target=work, name="look-up", daemon=True).start()
        return found
