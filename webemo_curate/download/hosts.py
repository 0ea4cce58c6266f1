"""A host of a run: the URLs that wait for it, and which of them is asked for next."""

import heapq
import itertools
from collections.abc import Iterator
from urllib.parse import urlsplit

from webemo_curate.download.limiter import HostLimiter
from webemo_curate.download.outcome import AttemptError
from webemo_curate.download.visit import Visit

DEFAULT_PORTS = {"http": 80, "https": 443}


def host_of(url: str) -> str:
    """Return whose politeness a request needs: the host in lower case, and a port of its own.

    Parameters
    ----------
    url : str
        With scheme and host.

    Returns
    -------
    str
        Such as `a.example` or `127.0.0.1:8080`.
    """
    parts = urlsplit(url)
    name = parts.hostname or ""
    port = parts.port
    return name if port in (None, DEFAULT_PORTS.get(parts.scheme)) else f"{name}:{port}"


class Host:
    """A host and the URLs that wait for it.

    Parameters
    ----------
    name : str
        See `host_of`.
    limiter : HostLimiter
        When it may be asked.

    Attributes
    ----------
    at
        When its next turn stands in the schedule; None if none does.
    last_error
        How the last attempt that failed did so.
    announced_until
        The end of the rest that was announced last.
    """

    __slots__ = (
        "_fresh",
        "_later",
        "_order",
        "announced_until",
        "at",
        "last_error",
        "limiter",
        "name",
    )

    def __init__(self, name: str, limiter: HostLimiter) -> None:
        self.name, self.limiter = name, limiter
        self.at: float | None = None
        self.last_error: AttemptError | None = None
        self.announced_until = -float("inf")
        self._fresh: list[str] = []
        self._later: list[tuple[float, int, Visit]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        """Return how many URLs wait."""
        return len(self._fresh) + len(self._later)

    def fill(self, urls: list[str]) -> None:
        """Let URLs wait for their first attempt of this pass, in their order."""
        self._fresh = urls[::-1]

    def wait(self, visit: Visit, due: float) -> None:
        """Let a URL wait for its next attempt."""
        heapq.heappush(self._later, (due, next(self._order), visit))

    def ready_at(self) -> float:
        """Return when the next request may begin; infinity if none may."""
        if self._fresh:
            return self.limiter.ready_at()
        return max(self._later[0][0], self.limiter.ready_at()) if self._later else float("inf")

    def take(self, now: float) -> Visit:
        """Take the URL whose turn it is; one that has failed before goes first when it is due.

        Not so while the host is down: then each question is another URL's, so that none uses up
        its attempts on it.
        """
        due = bool(self._later) and self._later[0][0] <= now
        if self._later and (not self._fresh or (due and not self.limiter.is_down)):
            return heapq.heappop(self._later)[2]
        return Visit(self._fresh.pop())

    def drain(self) -> Iterator[Visit]:
        """Take all URLs, whether or not they are due."""
        while self._later:
            yield heapq.heappop(self._later)[2]
        while self._fresh:
            yield Visit(self._fresh.pop())
