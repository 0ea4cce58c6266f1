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


class Site(NamedTuple):
    """What has a robots.txt.

    Attributes
    ----------
    place
        Scheme, host and port.
    public_only
        Whether it is asked at an address of the public net alone.
    """

    place: str
    public_only: bool = False


class RulesHeld:
    """Reads the rules of each site once, for all that ask at the same time and after.

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
        self._held: OrderedDict[Site, Robots] = OrderedDict()
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
            If they cannot be had for now; whoever asks next has them read again.
        """
        if site in self._held:
            self._held.move_to_end(site)
            return self._held[site]
        if site not in self._under_way:
            self._under_way[site] = asyncio.create_task(self._reading(site, turn))
        try:
            return await asyncio.shield(self._under_way[site])
        except AttemptError as error:
            # Each who waits gets an error of its own: what it is caught by may add to it.
            said = f"robots.txt: {error}"
            raise AttemptError(error.status, said, error.http_status, error.retry_after) from error

    async def _reading(self, site: Site, turn: Turn) -> Robots:
        try:
            robots = await self._read(site, turn)
        finally:
            del self._under_way[site]
        self._held[site] = robots
        self._count += robots.size
        while self._count > self._most and len(self._held) > 1:
            self._count -= self._held.popitem(last=False)[1].size
        return robots
