"""The proxy through which a URL is asked for: what the environment says, as libcurl reads it."""

import ipaddress
import os
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from webemo_curate.errors import InputError

SCHEMES: Final = frozenset({"http", "https", "socks4", "socks4a", "socks5", "socks5h"})
"""Of proxies that libcurl speaks to."""


def proxy_of(url: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the proxy for a URL.

    It is decided here and told to libcurl, because what a redirect may lead to is judged by the
    address that is connected to, and behind a proxy that is the proxy's.

    Parameters
    ----------
    url : str
        An http or https URL in ASCII.
    environment : mapping of str to str, optional
        Environment variables: `http_proxy` (in small letters alone: CGI sets the other from a
        request), `https_proxy`, `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY`, `no_proxy`, `NO_PROXY`.

    Returns
    -------
    str or None
        As the variable has it; None to ask the host itself.
    """
    parts = urlsplit(url)
    names = [f"{parts.scheme}_proxy", "HTTPS_PROXY" * (parts.scheme == "https")]
    names += ["all_proxy", "ALL_PROXY"]
    proxy = next(filter(None, map(environment.get, names)), None)
    left_out = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    return None if proxy is None or _is_left_out(parts.hostname or "", left_out) else proxy


def check_proxies(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse a proxy that is no URL: it would be each URL's failure, with its password in it.

    Parameters
    ----------
    environment : mapping of str to str, optional
        Environment variables.

    Raises
    ------
    InputError
        If one is no URL of a host; it names the variable alone.
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
    """Tell whether a host is named: itself, a domain above it, or a network that it is in."""
    if left_out.strip() == "*":
        return True
    name = host.strip("[]").rstrip(".").lower()
    entries = [entry.strip(".[]").lower() for entry in re.split(r"[,\s]+", left_out) if entry]
    return any(_covers(entry, name) for entry in entries)


def _covers(entry: str, name: str) -> bool:
    try:
        return ipaddress.ip_address(name) in ipaddress.ip_network(entry, strict=False)
    except ValueError:  # one of the two is a name
        return name == entry or (bool(entry) and name.endswith(f".{entry}"))
