"""The robots.txt of the sites that are being asked, within bounds."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from webemo_curate.download.outcome import AttemptError
from webemo_curate.download.robots import Robots
from webemo_curate.download.steps import Turn

MAX_RULES = 400_000
"""Rules held over all sites, some 100 MB: a site may have 40,000 of them, and a list may name more
sites than there is memory. Those that were not needed for the longest time are read again."""

GOOD_SECONDS = 24 * 3600.0
"""Rules are used for no longer (RFC 9309, 2.4) unless they cannot be had anew; runs take days."""

AGAIN_SECONDS = 3600.0
"""So long are old rules used before they are asked for again, where they could not be had."""


class Site(NamedTuple):
    """An origin, which has one robots.txt.

    Attributes
    ----------
    place
        Scheme, host and port.
    public_only
        Whether it is asked at an address of the public net alone.
    """

    place: str
    public_only: bool = False


class _Held(NamedTuple):
    robots: Robots
    until: float


class RulesHeld:
    """Reads the rules of each site once a day, for all that ask at the same time and after.

    Parameters
    ----------
    read : callable
        Reads a site's rules, given what waits for turns at hosts; raises `AttemptError` if they
        cannot be had for now.
    most : int, optional
        Rules held at most; those of one site are held in any case.
    """

    def __init__(
        self, read: Callable[[Site, Turn], Awaitable[Robots]], most: int = MAX_RULES
    ) -> None:
        self._read, self._most = read, most
        self._held: OrderedDict[Site, _Held] = OrderedDict()
        self._under_way: dict[Site, asyncio.Task[Robots]] = {}
        self._count = 0

    async def of(self, site: Site, turn: Turn) -> Robots:
        """Return a site's rules.

        Parameters
        ----------
        site : Site
            Which.
        turn : callable
            Waits for turns at hosts; used if the rules are to be read.

        Returns
        -------
        Robots
            What it asks of us.

        Raises
        ------
        AttemptError
            If they cannot be had for now and none are held; whoever asks next has them read again.
        """
        held = self._held.get(site)
        if held and asyncio.get_running_loop().time() < held.until:
            self._held.move_to_end(site)
            return held.robots
        if site not in self._under_way:
            self._under_way[site] = asyncio.create_task(self._reading(site, turn))
        try:
            return await asyncio.shield(self._under_way[site])
        except AttemptError as error:
            # Each who waits gets an error of its own: what it is caught by may add to it.
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
        """Keep rules as the ones needed last, and let go of others beyond the bound."""
        if site in self._held:
            self._count -= self._held.pop(site).robots.size
        self._held[site] = held
        self._count += held.robots.size
        while self._count > self._most and len(self._held) > 1:
            self._count -= self._held.popitem(last=False)[1].robots.size
