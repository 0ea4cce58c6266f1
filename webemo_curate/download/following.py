"""Follow a URL to its final response: redirects, their cookies, and robots.txt on the way."""

import asyncio
from dataclasses import replace

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
from webemo_curate.download.rota import moment
from webemo_curate.download.rules_held import RulesHeld, Site
from webemo_curate.download.steps import Step, Turn, Turns
from webemo_curate.download.urls import joined
from webemo_curate.imaging import accepted_types
from webemo_curate.verdicts import FetchStatus

AGENT = "webemo-curate"
"""The product token by which robots.txt files name this crawler."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})


ROBOTS_ACCEPT = "text/plain,*/*;q=0.5"


class Follower:
    """Makes one request if robots.txt allows it, and returns the response or the next request.

    Parameters
    ----------
    config : FetchConfig
        Limits, and whether robots.txt counts.
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
        """Request a picture.

        Parameters
        ----------
        step : Step
            The request to make; the host's turn has come.
        seconds : float
            Its time limit.
        turns : Turns
            Waits for the turns of other requests on the way (robots.txt), and adds up their time.
        share : Share
            Accounts for the response's bytes in memory.

        Returns
        -------
        Response or Step
            A response of any status other than a redirect, its body within `max_bytes`; or the next
            request, which must wait for its own host's turn. That is the same one again, once, if
            robots.txt had to be waited for: all that waited would else be requested at once.

        Raises
        ------
        AttemptError
            If there is no response, or the URL may not be requested. While robots.txt is
            unavailable (a server or network error, or a temporary refusal: 408, 425, 429), nothing
            of the site is requested, as RFC 9309 (2.3.1.4) demands. The URL then ends with the
            status of the robots.txt request, not as `robots`, so that another attempt asks again.
            The RFC lets a crawler treat such a site as open after 30 days; no run lasts that long,
            and every run asks anew.
        CurateError
            If the machine lacks what the request needs.
        """
        has_waited = not self._config.ignore_robots and await self._has_waited(step, turns)
        if has_waited and not step.has_waited:
            return replace(step, has_waited=True)
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

    async def _has_waited(self, step: Step, turns: Turns) -> bool:
        """Return whether robots.txt had to be waited for; raise if it forbids the URL.

        Reading robots.txt costs no time of the URL's own.
        """
        place = step.url[: step.url.index("/", len("https://"))]  # its form is that of `written`
        site = Site(place, step.public_only)
        known = robots = self._rules.known(site)
        if robots is None:
            with turns.waiting():
                robots = await self._rules.of(site, turns.turn)
        if not robots.allows(step.url):
            raise AttemptError(FetchStatus.ROBOTS, "robots.txt")
        return known is None

    async def _read_robots(self, site: Site, turn: Turn) -> Robots:
        step = Step(f"{site.place}/robots.txt", public_only=site.public_only)
        left = self._config.timeout
        while step.hops <= MAX_ROBOTS_REDIRECTS:
            async with turn(step.url):
                began = moment()
                response = await self._ask_robots(step, left)
            left -= moment() - began
            if response is None:
                break
            if response.status not in REDIRECTS:
                # A file of 500 KiB takes a second, in which other downloads go on.
                return await asyncio.to_thread(_rules, response)
            try:
                step = self._after(step, response)
            except AttemptError:
                break
        return read_robots(b"", AGENT)

    async def _ask_robots(self, step: Step, seconds: float) -> Response | None:
        """Request robots.txt; None if its redirects end nowhere, which counts as having none."""
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
