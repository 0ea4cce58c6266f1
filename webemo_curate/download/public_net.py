"""Decide which addresses are public; redirects may lead only to these."""

import ipaddress

from webemo_curate.download.outcome import AttemptError
from webemo_curate.verdicts import FetchStatus

CARRIERS = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
"""IPv6 networks whose addresses carry an IPv4 address in their last 32 bits: for gateways (RFC
6052), and IPv4-compatible addresses (RFC 4291, section 2.5.5.1)."""

PRIVATE = "redirect to a private address"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: str) -> bool:
    """Return whether an address is publicly reachable.

    Parameters
    ----------
    address : str
        An IPv4 or IPv6 address, with or without a zone.

    Returns
    -------
    bool
        False for loopback, private, link-local, shared, reserved and multicast addresses, for IPv6
        addresses that carry such an IPv4 address, and for anything that is not an address.
    """
    try:
        given = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(given, ipaddress.IPv6Address) and given.ipv4_mapped:
        return _is_public(given.ipv4_mapped)  # Python calls all IPv4-mapped addresses private
    return _is_public(given) and all(map(_is_public, _carried(given)))


def is_address(host: str) -> bool:
    """Return whether the host of a URL is an address, with or without brackets, not a name."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def is_known_private(host: str) -> bool:
    """Return whether a host is private by its name alone, without a look-up."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return is_address(name) and not is_public(name.strip("[]"))


def private() -> AttemptError:
    """Return the failure of a URL that leads from a public address to a private one."""
    return AttemptError(FetchStatus.BAD_URL, PRIVATE)


def _is_public(address: Address) -> bool:
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return address.is_global and not address.is_multicast and not site_local


def _carried(address: Address) -> list[ipaddress.IPv4Address]:
    """Return the IPv4 addresses to which gateways would route an IPv6 address."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found = [address.sixtofour, *(address.teredo or ())]
    if any(address in carrier for carrier in CARRIERS):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [carried for carried in found if carried is not None]
