"""Names of hosts looked up within a deadline, each on a thread that may be left behind.

libcurl looks names up on twenty threads: as many names whose servers never answer keep all others
waiting. Here such a name costs a thread that nobody waits for.
"""

import asyncio
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

from webemo_curate.download.failures import check_descriptors
from webemo_curate.download.outcome import AttemptError
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import FetchStatus

HELD_SECONDS = 60.0
"""An answer is good for so long, as libcurl has it; what was not found is asked for again."""

MOST_HELD = 10_000
"""Hosts whose addresses are held."""

MOST_LOOKUPS = 512
"""Threads at once, twice the requests under way: those of requests that have given up count too."""

Look = Callable[[str], list[str]]


def look_up(host: str) -> list[str]:
    """Ask the system for a name's addresses, in the order in which to try them; raises OSError."""
    found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
    return [address for address in addresses if "%" not in address]


class Names:
    """Looks names up, each once for all that ask at the same time and soon after.

    Parameters
    ----------
    look : callable, optional
        Asks the system; it may take for ever.
    """

    def __init__(self, look: Look = look_up) -> None:
        self._look = look
        self._held: OrderedDict[str, tuple[float, list[str]]] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[list[str]]] = {}
        self._slots = asyncio.Semaphore(MOST_LOOKUPS)

    async def addresses(self, host: str, seconds: float) -> list[str]:
        """Return a host's addresses.

        Parameters
        ----------
        host : str
            A name in ASCII.
        seconds : float
            What the answer may take.

        Returns
        -------
        list of str
            In the order in which to try them; at least one.

        Raises
        ------
        AttemptError
            If there is none, or no answer in time.
        SystemFaultError
            If the system lacks what it takes to look the name up.
        """
        expires, found = self._held.get(host, (0.0, []))
        if expires > time.monotonic():
            return found
        if host not in self._under_way:
            task = asyncio.create_task(self._ask(host))
            task.add_done_callback(lambda task: task.cancelled() or task.exception())
            self._under_way[host] = task
        try:
            return await asyncio.wait_for(asyncio.shield(self._under_way[host]), seconds)
        except TimeoutError:
            said = "operation timedout: name look-up"
            raise AttemptError(FetchStatus.TIMEOUT, said) from None
        except OSError as error:
            raise_system_fault(error, host)
            check_descriptors()  # a lack of them shows as a name that is not known
            raise AttemptError(FetchStatus.CONNECTION, "couldnt resolve host") from None

    async def _ask(self, host: str) -> list[str]:
        try:
            async with self._slots:
                found = await self._on_a_thread(host)
        finally:
            del self._under_way[host]
        if not found:
            raise OSError("no address")
        self._held[host] = time.monotonic() + HELD_SECONDS, found
        self._held.move_to_end(host)
        if len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        return found

    def _on_a_thread(self, host: str) -> "asyncio.Future[list[str]]":
        """Look up on a thread that does not keep the program from ending."""
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
