"""Connections of two sorts: to wherever a list says, and to the public net alone."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from webemo_curate.download.certificates import SYSTEM, Certificates
from webemo_curate.download.names import Names
from webemo_curate.download.transport import Transport


class Pools:
    """Makes requests over connections of either sort; an asynchronous context manager.

    A connection that one URL may use is never lent to another that may not.

    Parameters
    ----------
    agent : str
        The User-Agent header.
    certificates : Certificates, optional
        Whom to trust.
    names : Names, optional
        Looks up names of hosts.
    """

    def __init__(
        self, agent: str, certificates: Certificates = SYSTEM, names: Names | None = None
    ) -> None:
        names = names or Names()
        self._anywhere = Transport(agent, certificates, names)
        self._public = Transport(agent, certificates, names, public_only=True)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Bind to the running loop."""
        for transport in (self._anywhere, self._public):
            await self._stack.enter_async_context(transport)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all connections."""
        await self._stack.aclose()

    def of(self, *, public_only: bool) -> Transport:
        """Return what makes requests to the public net alone, or to wherever."""
        return self._public if public_only else self._anywhere
