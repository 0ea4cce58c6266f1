"""The way of a request: its proxy, or the addresses of its host's name."""

from typing import NamedTuple
from urllib.parse import urlsplit

from webemo_curate.download.names import Names
from webemo_curate.download.proxies import proxy_of
from webemo_curate.download.public_net import is_address, is_known_private, private
from webemo_curate.download.urls import DEFAULT_PORTS


class Route(NamedTuple):
    """The destination of a request.

    Attributes
    ----------
    proxy
        Its URL; empty for none.
    names
        Where the host's name leads, in libcurl's form.
    """

    proxy: str = ""
    names: tuple[str, ...] = ()


async def route_of(url: str, names: Names, seconds: float, *, public_only: bool) -> Route:
    """Find out where a request is to go.

    Parameters
    ----------
    url : str
        An http or https URL in ASCII.
    names : Names
        Looks up names of hosts.
    seconds : float
        For it.
    public_only : bool
        Whether it must not lead to a private address. Of a request over a proxy only the name is
        known here; of others the address is judged when it is connected to.

    Raises
    ------
    AttemptError
        If the name leads nowhere, or is that of a private place behind a proxy.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxy = proxy_of(url)
    if proxy:
        if public_only and is_known_private(host):
            raise private()
        return Route(proxy)
    if is_address(host):
        return Route()
    addresses = ",".join(await names.addresses(host, seconds))
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    forms = dict.fromkeys([host, host.removesuffix(".")])  # which it seeks is libcurl's matter
    return Route("", tuple(f"+{form}:{port}:{addresses}" for form in forms))
