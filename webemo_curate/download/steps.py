"""A URL being followed: the request that is next, and turns at the hosts that it needs."""

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from webemo_curate.download.response import Response


@dataclass(frozen=True)
class Step:
    """The next request of a URL.

    Attributes
    ----------
    url
        As written on the wire.
    hops
        Redirects followed so far.
    public_only
        Whether it must not lead to a private address, as the way began in the public net.
    cookies
        Those set on the way, in libcurl's form; changed by each answer.
    """

    url: str
    hops: int = 0
    public_only: bool = False
    cookies: list[bytes] = field(default_factory=list)

    def after(self, response: Response, target: str, *, let: bool) -> "Step":
        """Return the step to which an answer leads.

        Parameters
        ----------
        response : Response
            A redirect.
        target : str
            Where it leads.
        let : bool
            Whether it may lead to a private address in any case.
        """
        public_only = not let and (self.public_only or response.is_public)
        return Step(target, self.hops + 1, public_only, self.cookies)


Turn = Callable[[str], AbstractAsyncContextManager[None]]
"""Given a URL, lasts from its host's turn to the end of the block, which makes the request."""


class Turns:
    """The time that a URL spends on what is not its own request.

    Parameters
    ----------
    turn : callable
        Waits until a host may be asked for a URL other than that which has its turn.

    Attributes
    ----------
    waited
        Seconds that are not the URL's own.
    """

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.waited = 0.0

    def wait_since(self, began: float) -> None:
        """Add the time since a moment of `time.monotonic`."""
        self.waited += time.monotonic() - began
