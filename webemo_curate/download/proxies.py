"""Choose the proxy for a URL from the environment, by the same rules as libcurl."""

import ipaddress
import os
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from webemo_curate.errors import InputError

SCHEMES: Final = frozenset({"http", "https", "socks4", "socks4a", "socks5", "socks5h"})
"""URL schemes of proxies that libcurl supports."""


def proxy_of(url: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the proxy for a URL.

    The proxy is chosen here and passed to libcurl. A redirect's target is judged by the address
    connected to, and with a proxy that is the proxy's address, so both sides must agree.

    Parameters
    ----------
    url : str
        An http or https URL in ASCII.
    environment : mapping of str to str, optional
        Environment variables: `http_proxy` (in lower case only: CGI sets the upper-case name from a
        request), `https_proxy`, `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY`, `no_proxy`, `NO_PROXY`.

    Returns
    -------
    str or None
        As the variable states it; None to connect to the host directly.
    """
    parts = urlsplit(url)
    names = [f"{parts.scheme}_proxy", "HTTPS_PROXY" * (parts.scheme == "https")]
    names += ["all_proxy", "ALL_PROXY"]
    proxy = next(filter(None, map(environment.get, names)), None)
    left_out = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    return None if proxy is None or _is_left_out(parts.hostname or "", left_out) else proxy


def check_proxies(environment: Mapping[str, str] = os.environ) -> None:
    """Check that each proxy is a URL: one that is not would put its password into every failure.

    Parameters
    ----------
    environment : mapping of str to str, optional
        Environment variables.

    Raises
    ------
    InputError
        If one is not a URL with a host; the message names only the variable.
    """
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        value = environment.get(name)
        if value and not _is_proxy(value):
            raise InputError(
                f"{name}: no URL of a proxy; correct it (http://host:3128), or unset {name}"
            )


def _is_proxy(value: str) -> bool:
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        return bool(parts.hostname) and parts.port != 0 and parts.scheme in SCHEMES
    except ValueError:
        return False


def _is_left_out(host: str, left_out: str) -> bool:
    """Return whether `no_proxy` names a host: itself, a parent domain, or a network around it."""
    if left_out.strip() == "*":
        return True
    name = host.strip("[]").rstrip(".").lower()
    entries = [entry.strip(".[]").lower() for entry in re.split(r"[,\s]+", left_out) if entry]
    return any(_covers(entry, name) for entry in entries)


def _covers(entry: str, name: str) -> bool:
    try:
        return ipaddress.ip_address(name) in ipaddress.ip_network(entry, strict=False)
    except ValueError:  # one of them is a name, not an address
        return name == entry or (bool(entry) and name.endswith(f".{entry}"))
