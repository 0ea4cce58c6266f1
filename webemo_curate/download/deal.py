"""Deal hosts out to processes: each host belongs to one, whose limiter alone governs it."""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

MAX_NAMED: Final = 4096
"""Most hosts that are dealt by their number of URLs; all others, redirects' included, go by a hash
of their name, so that a process knows the owner of any host without asking."""

URLS_A_PROCESS: Final = 1000
"""URLs from which on a process is worth its start, of about as much work."""


@dataclass(frozen=True)
class Deal:
    """Tells which process owns a host. Every process of a run holds an equal one.

    Attributes
    ----------
    processes
        Number of processes, at least 1.
    named
        Owner of the hosts with the most URLs.
    """

    processes: int = 1
    named: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, sizes: Mapping[str, int], most: int) -> "Deal":
        """Deal out hosts so that each process gets about as many URLs.

        Parameters
        ----------
        sizes : mapping of str to int
            Number of URLs by host.
        most : int
            Most processes; there are never more than hosts.
        """
        enough = -(-sum(sizes.values()) // URLS_A_PROCESS)
        processes = max(1, min(most, len(sizes), enough))
        if processes == 1:
            return cls()
        loads = [(0, owner) for owner in range(processes)]
        named = {}
        for name in heapq.nlargest(MAX_NAMED, sorted(sizes), key=sizes.__getitem__):
            load, owner = loads[0]
            heapq.heapreplace(loads, (load + sizes[name], owner))
            named[name] = owner
        return cls(processes, named)

    def owner(self, name: str) -> int:
        """Return the number of the process that owns a host, from 0.

        Parameters
        ----------
        name : str
            See `hosts.host_of`.
        """
        if self.processes == 1:
            return 0
        owner = self.named.get(name)
        return crc32(name.encode()) % self.processes if owner is None else owner

    def shares(self, names: Iterable[str]) -> list[list[str]]:
        """Sort hosts by their owners; return a list for each process."""
        shares: list[list[str]] = [[] for _ in range(self.processes)]
        for name in names:
            shares[self.owner(name)].append(name)
        return shares
