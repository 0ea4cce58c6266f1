"""The hosts of a run: the URLs queued for each, and which of them is next."""

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlsplit

from webemo_curate.download.host_queue import HostQueue
from webemo_curate.download.limiter import HostLimiter
from webemo_curate.download.outcome import AttemptError
from webemo_curate.download.urls import DEFAULT_PORTS
from webemo_curate.download.visit import Visit

Errand = asyncio.Future[None]
"""Waits for a turn at a host, for a request that a URL of another host needs there."""


def host_of(url: str) -> str:
    """Return the host that a request counts against: in lower case, with its port if it names one.

    Parameters
    ----------
    url : str
        A URL with scheme and host.

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
    """A host and the queue of its URLs.

    Parameters
    ----------
    name : str
        See `host_of`.
    limiter : HostLimiter
        Decides when the host may be asked.

    Attributes
    ----------
    last_error
        The error of the last failed attempt.
    announced_until
        End of the rest that was last announced to the user.
    is_given_up
        Whether all that is queued is about to be ended; no request begins until it is.
    """

    __slots__ = (
        "_errands",
        "_fresh",
        "_later",
        "_order",
        "announced_until",
        "is_given_up",
        "last_error",
        "limiter",
        "name",
    )

    def __init__(self, name: str, limiter: HostLimiter) -> None:
        self.name, self.limiter = name, limiter
        self.last_error: AttemptError | None = None
        self.announced_until = -float("inf")
        self.is_given_up = False
        self._fresh: deque[HostQueue] = deque()
        self._later: list[tuple[float, int, Visit]] = []
        self._errands: deque[Errand] = deque()
        self._order = itertools.count()

    def __len__(self) -> int:
        """Return how many URLs and errands are queued."""
        return sum(map(len, self._fresh)) + len(self._later) + len(self._errands)

    def fill(self, urls: HostQueue) -> None:
        """Queue URLs for their first attempt of this pass, after those that are there."""
        if len(urls):
            self._fresh.append(urls)

    def wait(self, visit: Visit, due: float) -> None:
        """Queue a URL for its next request at the given time."""
        heapq.heappush(self._later, (due, next(self._order), visit))

    def send(self, errand: Errand) -> None:
        """Queue an errand."""
        self._errands.append(errand)

    def errand_at(self) -> float:
        """Return when the next errand may begin; infinity if none is queued or may begin."""
        if not self._errands or self.is_given_up:
            return float("inf")
        return self.limiter.errand_at()

    def take_errand(self) -> Errand:
        """Take the errand that waits longest."""
        return self._errands.popleft()

    def drain_errands(self) -> Iterator[Errand]:
        """Take all errands."""
        while self._errands:
            yield self._errands.popleft()

    def ready_at(self) -> float:
        """Return when the next URL may begin; infinity if none is queued or may begin."""
        if self.is_given_up:
            return float("inf")
        if self._fresh:
            return self.limiter.ready_at()
        return max(self._later[0][0], self.limiter.ready_at()) if self._later else float("inf")

    def take(self, now: float) -> Visit:
        """Take the next URL; one that is due for another attempt goes first.

        While the host is down, a new URL goes first: each probe is then another URL's, so that no
        URL uses up its attempts.
        """
        due = bool(self._later) and self._later[0][0] <= now
        if self._later and (not self._fresh or (due and not self.limiter.is_down)):
            return heapq.heappop(self._later)[2]
        return self._take_fresh()

    def drain(self) -> Iterator[Visit]:
        """Take all URLs, due or not."""
        while self._later:
            yield heapq.heappop(self._later)[2]
        while self._fresh:
            yield self._take_fresh()

    def _take_fresh(self) -> Visit:
        visit = self._fresh[0].take()
        if not len(self._fresh[0]):
            self._fresh.popleft()
        return visit


class KnownHosts:
    """The hosts that have queued URLs, and recent ones whose state is still needed.

    Parameters
    ----------
    make : callable
        Makes the limiter of a host; called with the time.
    """

    def __init__(self, make: Callable[[float], HostLimiter]) -> None:
        self._make = make
        self.active: dict[str, Host] = {}
        self._aside: dict[str, Host] = {}
        self._cooling: deque[Host] = deque()

    def of(self, name: str, now: float) -> Host:
        """Return a host, creating it if it is unknown."""
        host = self.active.get(name)
        if host is None:  # not `or`: a host with an empty queue is falsy
            host = self._aside.pop(name, None)
        if host is None:
            host = Host(name, self._make(now))
        self.active[name] = host
        return host

    def leave(self, host: Host, now: float) -> None:
        """Release a host that has no queued URLs.

        Its state is kept while the host is slowed down or resting. It is also kept until its next
        turn would come, because a redirect may lead back to it at any moment.
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
        """Reset the patience with all hosts at the start of another pass."""
        for host in self._aside.values():
            host.limiter.renew(now)

    def longest_rest(self, names: Iterable[str], now: float) -> float:
        """Return the seconds until the last of the given hosts may be asked."""
        known = (self._aside.get(name) for name in names) if self._aside else ()
        return max((host.limiter.rest(now)[0] for host in known if host), default=0.0)
