"""Decide which addresses are public; redirects may lead only to these."""

import ipaddress
from functools import lru_cache
from typing import Final

from webemo_curate.download.outcome import AttemptError
from webemo_curate.verdicts import FetchStatus

CARRIERS = tuple(
    map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96"))
)
"""IPv6 networks whose addresses carry an IPv4 address in their last 32 bits: for gateways (RFC 6052
and 8215), IPv4-compatible (RFC 4291, section 2.5.5.1) and IPv4-translated ones (RFC 7915)."""

ISATAP = 0x5EFE
"""In an IPv6 address above the last 32 bits: they are an IPv4 address to tunnel to (RFC 5214). The
bit that says whether it is a global one may be set."""
ISATAP_GLOBAL = 0x0200 << 16

RESERVED = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16", "3fff::/20", "5f00::/16"),
    )
)
"""Private whatever Python's version takes them for: IANA's special-purpose addresses, among them a
metadata service's at 192.0.0.192, and the address at which each machine of Azure has one."""

PRIVATE = "redirect to a private address"

MAX_HELD: Final = 10_000
"""Most hosts, and most addresses, whose kind is remembered: each is asked for many URLs."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@lru_cache(MAX_HELD)
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


@lru_cache(MAX_HELD)
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
    if any(address in network for network in RESERVED):
        return False
    return address.is_global and not address.is_multicast and not site_local


def _carried(address: Address) -> list[ipaddress.IPv4Address]:
    """Return the IPv4 addresses to which gateways would route an IPv6 address."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found = [address.sixtofour, *(address.teredo or ())]
    tunnel = (int(address) >> 32 & 0xFFFFFFFF) & ~ISATAP_GLOBAL == ISATAP
    if tunnel or any(address in carrier for carrier in CARRIERS):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [carried for carried in found if carried is not None]
