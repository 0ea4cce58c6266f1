"""The next request of a URL that is being followed, and the time spent on other requests."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from webemo_curate.download.response import Response


@dataclass(frozen=True)
class Step:
    """The next request of a URL.

    Attributes
    ----------
    url
        The URL as sent on the wire.
    hops
        Redirects followed so far.
    public_only
        Whether it must not reach a private address, because an earlier request reached a public
        one.
    cookies
        Cookies set on the way, in libcurl's form; updated by each response.
    has_waited
        Whether it waits for its host's turn a second time, because robots.txt came after the first.
    """

    url: str
    hops: int = 0
    public_only: bool = False
    cookies: list[bytes] = field(default_factory=list)
    has_waited: bool = False

    def after(self, response: Response, target: str, *, let: bool) -> "Step":
        """Return the next step after a redirect.

        Parameters
        ----------
        response : Response
            The redirect.
        target : str
            The URL that it leads to.
        let : bool
            Whether private addresses are allowed in any case.
        """
        public_only = not let and (self.public_only or response.is_public)
        return Step(target, self.hops + 1, public_only, self.cookies)


Turn = Callable[[str], AbstractAsyncContextManager[None]]
"""Called with a URL; a context manager that holds a turn at its host while the block makes the
request."""


class Turns:
    """What a URL does while requests other than its own are made for it.

    Parameters
    ----------
    turn : callable
        Waits for a turn at a host, for a request that is not the URL's own.
    lent : callable
        A context manager that lends the URL's slot at its host while the block waits.

    Attributes
    ----------
    waited
        Seconds that do not count against the URL's time limit.
    """

    def __init__(self, turn: Turn, lent: Callable[[], AbstractContextManager[None]]) -> None:
        self.turn, self._lent = turn, lent
        self.waited = 0.0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Wait in the block for other requests; if they succeed, their time does not count."""
        began = asyncio.get_running_loop().time()
        with self._lent():
            yield
        self.waited += asyncio.get_running_loop().time() - began
