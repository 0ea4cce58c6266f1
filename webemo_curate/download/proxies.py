"""Through which proxy a URL is asked for: what the environment says, as libcurl reads it."""

import ipaddress
import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit


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
