"""The route of a request: its proxy, or the addresses of its host."""

import os
from typing import NamedTuple
from urllib.parse import urlsplit

from webemo_curate.download.names import Names
from webemo_curate.download.proxies import proxy_of
from webemo_curate.download.public_net import is_address, is_known_private, private
from webemo_curate.download.urls import DEFAULT_PORTS


class Route(NamedTuple):
    """Where the connection of a request goes.

    Attributes
    ----------
    proxy
        URL of the proxy; empty for none.
    names
        The host's addresses in libcurl's form (`CURLOPT_RESOLVE`).
    waited
        Seconds for which no thread was free to look the host's name up.
    """

    proxy: str = ""
    names: tuple[str, ...] = ()
    waited: float = 0.0


class Routes:
    """Finds the routes of requests.

    Parameters
    ----------
    names : Names
        Looks up host names.
    public_only : bool
        Whether the requests must not reach a private address. With a proxy only the host's name can
        be checked, here; without one, the address is checked when the connection is made.
    """

    def __init__(self, names: Names, *, public_only: bool) -> None:
        self._names, self._public_only = names, public_only
        self._environment = dict(os.environ)  # each look into the original decodes a text

    async def of(self, url: str, seconds: float) -> Route:
        """Find the route of a request.

        Parameters
        ----------
        url : str
            An http or https URL in ASCII.
        seconds : float
            Time limit.

        Raises
        ------
        AttemptError
            If the name has no address, or the request goes through a proxy to a name known as
            private.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        proxy = proxy_of(url, self._environment)
        if proxy:
            if self._public_only and is_known_private(host):
                raise private()
            return Route(proxy)
        if is_address(host):
            return Route()
        addresses, waited = await self._names.addresses(host, seconds)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        forms = dict.fromkeys([host, host.removesuffix(".")])  # libcurl looks up either form
        told = ",".join(addresses)
        return Route("", tuple(f"+{form}:{port}:{told}" for form in forms), waited)
