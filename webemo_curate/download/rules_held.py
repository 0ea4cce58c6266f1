"""A bounded cache of the robots.txt rules of the sites in use."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from webemo_curate.download.outcome import AttemptError
from webemo_curate.download.robots import Robots
from webemo_curate.download.steps import Turn

MAX_RULES = 400_000
"""Most rules kept over all sites, about 100 MB. A site may have 40,000 rules, and a list may name
more sites than fit in memory. The least recently used sites are dropped and read again when
needed."""

GOOD_SECONDS = 24 * 3600.0
"""Seconds after which rules are read again (RFC 9309, 2.4); runs take days. If that fails, the old
rules stay in use."""

AGAIN_SECONDS = 3600.0
"""Seconds for which old rules stay in use after a failed attempt to read them again."""


class Site(NamedTuple):
    """An origin, which has one robots.txt.

    Attributes
    ----------
    place
        Scheme, host and port.
    public_only
        Whether it may be requested at a public address only.
    """

    place: str
    public_only: bool = False


class _Held(NamedTuple):
    robots: Robots
    until: float


class RulesHeld:
    """Reads each site's rules once a day; callers that ask at the same time share one request.

    Parameters
    ----------
    read : callable
        Reads a site's rules; called with the site and what waits for turns at hosts. It raises
        `AttemptError` if the rules are unavailable for now.
    most : int, optional
        Most rules kept; the rules of a single site are kept in any case.
    """

    def __init__(
        self, read: Callable[[Site, Turn], Awaitable[Robots]], most: int = MAX_RULES
    ) -> None:
        self._read, self._most = read, most
        self._held: OrderedDict[Site, _Held] = OrderedDict()
        self._under_way: dict[Site, asyncio.Task[Robots]] = {}
        self._count = 0

    def known(self, site: Site) -> Robots | None:
        """Return a site's rules if they are held and not too old."""
        held = self._held.get(site)
        if held is None or asyncio.get_running_loop().time() >= held.until:
            return None
        self._held.move_to_end(site)
        return held.robots

    async def of(self, site: Site, turn: Turn) -> Robots:
        """Return a site's rules; read them if they are not held.

        Parameters
        ----------
        site : Site
            The site.
        turn : callable
            Waits for turns at hosts; used only if the rules must be read.

        Returns
        -------
        Robots
            The rules for this crawler.

        Raises
        ------
        AttemptError
            If the rules are unavailable for now and no old ones are kept; the next caller tries
            again.
        """
        if (robots := self.known(site)) is not None:
            return robots
        if site not in self._under_way:
            self._under_way[site] = asyncio.create_task(self._reading(site, turn))
        try:
            return await asyncio.shield(self._under_way[site])
        except AttemptError as error:
            # Each waiting caller gets its own error, because a handler may add to it.
            said = f"robots.txt: {error}"
            raise AttemptError(error.status, said, error.http_status, error.retry_after) from error

    async def _reading(self, site: Site, turn: Turn) -> Robots:
        good = GOOD_SECONDS
        try:
            robots = await self._read(site, turn)
        except AttemptError:
            if site not in self._held:
                raise
            robots, good = self._held[site].robots, AGAIN_SECONDS
        finally:
            del self._under_way[site]
        self._hold(site, _Held(robots, asyncio.get_running_loop().time() + good))
        return robots

    def _hold(self, site: Site, held: _Held) -> None:
        """Store rules as the most recently used, and drop others beyond the bound."""
        if site in self._held:
            self._count -= self._held.pop(site).robots.size
        self._held[site] = held
        self._count += held.robots.size
        while self._count > self._most and len(self._held) > 1:
            self._count -= self._held.popitem(last=False)[1].robots.size
