"""Following a URL to its answer: redirects, their cookies, and what robots.txt says on the way."""

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from webemo_curate.config import FetchConfig
from webemo_curate.download.addresses import checked, is_private
from webemo_curate.download.answers import refusal
from webemo_curate.download.outcome import AttemptError
from webemo_curate.download.response import SUCCESS, Response
from webemo_curate.download.robots import (
    MAX_ROBOTS_BYTES,
    MAX_ROBOTS_REDIRECTS,
    Robots,
    read_robots,
)
from webemo_curate.download.rules_held import RulesHeld
from webemo_curate.download.transport import Transport
from webemo_curate.download.urls import joined
from webemo_curate.imaging import accepted_types
from webemo_curate.verdicts import FetchStatus

AGENT = "webemo-curate"
"""The product token by which robots.txt names us."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Errand:
    """What is asked for, and how far.

    Attributes
    ----------
    accept
        The Accept header.
    limit
        Bytes of a body that are taken.
    hops
        Redirects that are followed.
    heeds_robots
        Whether robots.txt decides on each step.
    """

    accept: str
    limit: int
    hops: int
    heeds_robots: bool


ROBOTS_TXT = Errand("text/plain,*/*;q=0.5", MAX_ROBOTS_BYTES + 1, MAX_ROBOTS_REDIRECTS, False)


class Follower:
    """Asks for URLs and follows where they lead, as far as robots.txt lets it.

    Parameters
    ----------
    config : FetchConfig
        Bounds, and whether robots.txt counts.
    transport : Transport
        Makes the requests.
    """

    def __init__(self, config: FetchConfig, transport: Transport) -> None:
        self._config = config
        self._transport = transport
        heeds = not config.ignore_robots
        accept = ",".join(accepted_types())
        self._picture = Errand(accept, config.max_bytes, config.max_redirects, heeds)
        self._rules = RulesHeld(self._read_robots)
        self._private: dict[str, bool] = {}

    async def picture(self, url: str, deadline: float) -> Response:
        """Ask for a picture.

        Parameters
        ----------
        url : str
            As written on the wire.
        deadline : float
            On the clock of `time.monotonic`.

        Returns
        -------
        Response
            The last answer, of any status that is no redirect; its body within `max_bytes`.

        Raises
        ------
        AttemptError
            If there is none, or it may not be asked for. Where robots.txt cannot be had, for an
            error of the server, of the network or a refusal for now (429), nothing of the site is
            asked for, as RFC 9309 (2.3.1.4) has it; but the URL ends as the request for robots.txt
            did, not as `robots`, and another attempt asks for it again. The RFC lets a crawler
            take such a site as open after 30 days; a run does not last that long, and every run
            asks anew.
        CurateError
            If the machine lacks what it takes to ask.
        """
        return await self._follow(url, deadline, self._picture)

    async def _follow(self, url: str, deadline: float, errand: Errand) -> Response:
        first = urlsplit(url).hostname or ""
        cookies: list[bytes] = []
        for _ in range(errand.hops + 1):
            if errand.heeds_robots:
                await self._check_robots(url)
            left = deadline - time.monotonic()
            if left <= 0:
                raise AttemptError(FetchStatus.TIMEOUT, "deadline passed")
            response = await self._transport.get(url, left, errand.limit, errand.accept, cookies)
            if response.status not in REDIRECTS:
                return response
            url = _next(response)
            await self._check_redirect(first, url)
        raise AttemptError(FetchStatus.BAD_URL, "too many redirects")

    async def _check_redirect(self, first: str, url: str) -> None:
        """Refuse a way from a public host to a private address."""
        host = urlsplit(url).hostname or ""
        if self._config.allow_private or host == first or await self._is_private(first):
            return
        if await self._is_private(host):
            raise AttemptError(FetchStatus.BAD_URL, "redirect to a private address")

    async def _is_private(self, host: str) -> bool:
        if host not in self._private:
            self._private[host] = await asyncio.to_thread(is_private, host)
        return self._private[host]

    async def _check_robots(self, url: str) -> None:
        parts = urlsplit(url)
        robots = await self._rules.of(f"{parts.scheme}://{parts.netloc}")
        if not robots.allows(url):
            raise AttemptError(FetchStatus.ROBOTS, "robots.txt")

    async def _read_robots(self, site: str) -> Robots:
        deadline = time.monotonic() + self._config.timeout
        try:
            response = await self._follow(f"{site}/robots.txt", deadline, ROBOTS_TXT)
        except AttemptError as error:
            if error.status is FetchStatus.BAD_URL:  # it leads nowhere: there is none
                return read_robots(b"", AGENT)
            raise
        if response.status == 429 or response.status >= 500:
            raise refusal(response)
        return read_robots(response.content if response.status in SUCCESS else b"", AGENT)


def _next(response: Response) -> str:
    locations = response.raw("location")
    if not locations:
        said = f"HTTP {response.status} without Location"
        raise AttemptError(FetchStatus.BAD_URL, said, response.status)
    try:
        target = joined(response.url, locations[-1])
    except ValueError as error:
        raise AttemptError(FetchStatus.BAD_URL, "redirect to no URL", response.status) from error
    return checked(target)
