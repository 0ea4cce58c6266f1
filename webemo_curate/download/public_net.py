"""Addresses of the public net: the one judge of what a redirect may lead to."""

import ipaddress

from webemo_curate.download.outcome import AttemptError
from webemo_curate.verdicts import FetchStatus

CARRIERS = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
"""IPv6 addresses that stand for IPv4 ones, in their last 32 bits: for a gateway (RFC 6052), and as
it was done at first (RFC 4291, section 2.5.5.1)."""

PRIVATE = "redirect to a private address"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: str) -> bool:
    """Tell whether an address is one that everybody reaches.

    Parameters
    ----------
    address : str
        Of IPv4 or IPv6, a zone allowed.

    Returns
    -------
    bool
        False for loopback, private, link-local, shared, reserved and multicast ones, for those of
        IPv6 that carry such a one of IPv4, and for what is no address.
    """
    try:
        given = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(given, ipaddress.IPv6Address) and given.ipv4_mapped:
        return _is_public(given.ipv4_mapped)  # Python calls all of them private
    return _is_public(given) and all(map(_is_public, _carried(given)))


def is_address(host: str) -> bool:
    """Tell whether the host of a URL is an address, brackets allowed, and no name."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def is_known_private(host: str) -> bool:
    """Tell whether a host is private by its name alone, without a look-up."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return is_address(name) and not is_public(name.strip("[]"))


def private() -> AttemptError:
    """Return what a URL ends as that leads from the public net to a private one."""
    return AttemptError(FetchStatus.BAD_URL, PRIVATE)


def _is_public(address: Address) -> bool:
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return address.is_global and not address.is_multicast and not site_local


def _carried(address: Address) -> list[ipaddress.IPv4Address]:
    """Return the IPv4 addresses to which a gateway would take an IPv6 one."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found = [address.sixtofour, *(address.teredo or ())]
    if any(address in carrier for carrier in CARRIERS):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [carried for carried in found if carried is not None]
