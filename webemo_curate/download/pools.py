"""Two connection pools: one for URLs that may lead anywhere, one for public addresses only."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from webemo_curate.download.certificates import SYSTEM, Certificates
from webemo_curate.download.names import Names
from webemo_curate.download.transport import Transport


class Pools:
    """Makes requests over either pool; an asynchronous context manager.

    A connection made for one kind of URL is never reused for the other.

    Parameters
    ----------
    agent : str
        User-Agent header.
    certificates : Certificates, optional
        Certificates to trust.
    names : Names, optional
        Looks up host names.
    """

    def __init__(
        self, agent: str, certificates: Certificates = SYSTEM, names: Names | None = None
    ) -> None:
        names = names or Names()
        self._anywhere = Transport(agent, certificates, names)
        self._public = Transport(agent, certificates, names, public_only=True)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Bind both pools to the running event loop."""
        for transport in (self._anywhere, self._public):
            await self._stack.enter_async_context(transport)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all connections of both pools."""
        await self._stack.aclose()

    def of(self, *, public_only: bool) -> Transport:
        """Return the pool that connects to public addresses only, or the one without that limit."""
        return self._public if public_only else self._anywhere
