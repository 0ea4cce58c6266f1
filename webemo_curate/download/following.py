"""Following a URL to its answer: redirects, their cookies, and what robots.txt says on the way."""

import time
from urllib.parse import urlsplit

from webemo_curate.config import FetchConfig
from webemo_curate.download.addresses import checked
from webemo_curate.download.answers import refusal
from webemo_curate.download.outcome import RETRIED, AttemptError, status_of
from webemo_curate.download.pools import Pools
from webemo_curate.download.response import SUCCESS, Response
from webemo_curate.download.robots import (
    MAX_ROBOTS_BYTES,
    MAX_ROBOTS_REDIRECTS,
    Robots,
    read_robots,
)
from webemo_curate.download.room import Share
from webemo_curate.download.rules_held import RulesHeld, Site
from webemo_curate.download.steps import Step, Turn, Turns
from webemo_curate.download.urls import joined
from webemo_curate.imaging import accepted_types
from webemo_curate.verdicts import FetchStatus

AGENT = "webemo-curate"
"""The product token by which robots.txt names us."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})


ROBOTS_ACCEPT = "text/plain,*/*;q=0.5"


class Follower:
    """Asks for URLs and says where they lead, as far as robots.txt lets it.

    Parameters
    ----------
    config : FetchConfig
        Bounds, and whether robots.txt counts.
    pools : Pools
        Make the requests.
    """

    def __init__(self, config: FetchConfig, pools: Pools) -> None:
        self._config = config
        self._pools = pools
        self._accept = ",".join(accepted_types())
        self._rules = RulesHeld(self._read_robots)

    async def picture(
        self, step: Step, seconds: float, turns: Turns, share: Share
    ) -> Response | Step:
        """Ask for a picture.

        Parameters
        ----------
        step : Step
            The request to make; its host's turn has come.
        seconds : float
            For it.
        turns : Turns
            For what else is asked on the way, and told of the time that takes.
        share : Share
            Takes the bytes of the answer.

        Returns
        -------
        Response or Step
            An answer of any status that is no redirect, its body within `max_bytes`; or the next
            request, which is to wait for the turn of its own host.

        Raises
        ------
        AttemptError
            If there is none, or it may not be asked for. Where robots.txt cannot be had, for an
            error of the server, of the network or a refusal for now (408, 425, 429), nothing of
            the site is asked for, as RFC 9309 (2.3.1.4) has it; but the URL ends as the request
            for robots.txt did, not as `robots`, and another attempt asks for it again. The RFC
            lets a crawler take such a site as open after 30 days; a run does not last that long,
            and every run asks anew.
        CurateError
            If the machine lacks what it takes to ask.
        """
        if not self._config.ignore_robots:
            await self._check_robots(step, turns)
        if seconds <= 0:
            raise AttemptError(FetchStatus.TIMEOUT, "deadline passed")
        response = await self._ask(step, seconds, self._config.max_bytes, self._accept, share)
        if response.status not in REDIRECTS:
            return response
        following = self._after(step, response)
        if following.hops > self._config.max_redirects:
            raise AttemptError(FetchStatus.BAD_URL, "too many redirects")
        return following

    async def _ask(
        self, step: Step, seconds: float, limit: int, accept: str, share: Share | None = None
    ) -> Response:
        transport = self._pools.of(public_only=step.public_only)
        return await transport.get(step.url, seconds, limit, accept, step.cookies, share)

    def _after(self, step: Step, response: Response) -> Step:
        return step.after(response, _next(response), let=self._config.allow_private)

    async def _check_robots(self, step: Step, turns: Turns) -> None:
        """Refuse what robots.txt forbids; that it is read takes no time of the URL's own."""
        parts = urlsplit(step.url)
        site = Site(f"{parts.scheme}://{parts.netloc}", step.public_only)
        began = time.monotonic()
        robots = await self._rules.of(site, turns.turn)
        turns.wait_since(began)
        if not robots.allows(step.url):
            raise AttemptError(FetchStatus.ROBOTS, "robots.txt")

    async def _read_robots(self, site: Site, turn: Turn) -> Robots:
        step = Step(f"{site.place}/robots.txt", public_only=site.public_only)
        left = self._config.timeout
        while step.hops <= MAX_ROBOTS_REDIRECTS:
            async with turn(step.url):
                began = time.monotonic()
                response = await self._ask_robots(step, left)
            left -= time.monotonic() - began
            if response is None:
                break
            if response.status not in REDIRECTS:
                return _rules(response)
            try:
                step = self._after(step, response)
            except AttemptError:
                break
        return read_robots(b"", AGENT)

    async def _ask_robots(self, step: Step, seconds: float) -> Response | None:
        """Ask for robots.txt; None if it has led nowhere, which is as if there were none."""
        if seconds <= 0:
            raise AttemptError(FetchStatus.TIMEOUT, "deadline passed")
        try:
            return await self._ask(step, seconds, MAX_ROBOTS_BYTES + 1, ROBOTS_ACCEPT)
        except AttemptError as error:
            if error.status is FetchStatus.BAD_URL and step.hops:
                return None
            raise


def _rules(response: Response) -> Robots:
    if response.status in SUCCESS:
        return read_robots(response.content, AGENT)
    if status_of(response.status) in RETRIED:
        raise refusal(response)
    return read_robots(b"", AGENT)


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
