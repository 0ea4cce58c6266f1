"""The hosts of a run: the URLs that wait for each, and which of them is asked for next."""

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlsplit

from webemo_curate.download.limiter import HostLimiter
from webemo_curate.download.outcome import AttemptError
from webemo_curate.download.urls import DEFAULT_PORTS
from webemo_curate.download.visit import Visit

Waiting = Visit | asyncio.Future[None]
"""What waits for a host's turn: a URL, or what a URL of another host needs from here."""


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
        self._later: list[tuple[float, int, Waiting]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        """Return how many URLs wait."""
        return len(self._fresh) + len(self._later)

    def fill(self, urls: list[str]) -> None:
        """Let URLs wait for their first attempt of this pass, in their order."""
        self._fresh = urls[::-1]

    def wait(self, waiting: Waiting, due: float) -> None:
        """Let a URL wait for its next request."""
        heapq.heappush(self._later, (due, next(self._order), waiting))

    def ready_at(self) -> float:
        """Return when the next request may begin; infinity if none may."""
        if self._fresh:
            return self.limiter.ready_at()
        return max(self._later[0][0], self.limiter.ready_at()) if self._later else float("inf")

    def take(self, now: float) -> Waiting:
        """Take the URL whose turn it is; one that has failed before goes first when it is due.

        Not so while the host is down: then each question is another URL's, so that none uses up
        its attempts on it.
        """
        due = bool(self._later) and self._later[0][0] <= now
        if self._later and (not self._fresh or (due and not self.limiter.is_down)):
            return heapq.heappop(self._later)[2]
        return Visit(self._fresh.pop())

    def drain(self) -> Iterator[Waiting]:
        """Take all URLs, whether or not they are due."""
        while self._later:
            yield heapq.heappop(self._later)[2]
        while self._fresh:
            yield Visit(self._fresh.pop())


class KnownHosts:
    """The hosts that something waits for, and those that are not forgotten yet.

    Parameters
    ----------
    make : callable
        Makes the limiter of a host, given the time.
    """

    def __init__(self, make: Callable[[float], HostLimiter]) -> None:
        self._make = make
        self.active: dict[str, Host] = {}
        self._aside: dict[str, Host] = {}
        self._cooling: deque[Host] = deque()

    def of(self, name: str, now: float) -> Host:
        """Return a host, as it is known or new."""
        host = self.active.get(name)
        if host is None:  # an empty one is false
            host = self._aside.pop(name, None)
        if host is None:
            host = Host(name, self._make(now))
        self.active[name] = host
        return host

    def leave(self, host: Host, now: float) -> None:
        """Let go of a host that nothing waits for.

        It is kept as long as something is known against it; and, as a redirect may lead there
        again at any moment, until its next turn would have come.
        """
        if self.active.get(host.name) is not host:
            return
        del self.active[host.name]
        self._aside[host.name] = host
        if host.limiter.is_well(now):
            self._cooling.append(host)
        while self._cooling and self._cooling[0].limiter.ready_at() <= now:
            cool = self._cooling.popleft()
            if self._aside.get(cool.name) is cool and cool.limiter.is_well(now):
                del self._aside[cool.name]

    def renew(self, now: float) -> None:
        """Have patience again with all of them: another pass begins."""
        for host in self._aside.values():
            host.limiter.renew(now)

    def longest_rest(self, names: Iterable[str], now: float) -> float:
        """Return the seconds until the last of some hosts may be asked."""
        known = (self._aside.get(name) for name in names)
        return max((host.limiter.rest(now)[0] for host in known if host), default=0.0)
