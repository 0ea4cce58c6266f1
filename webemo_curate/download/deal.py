"""Deal hosts out to processes: each host belongs to one, whose limiter alone governs it."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

import numpy as np
import pyarrow as pa

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
    def of(cls, sizes: Mapping[str, int], most: int, urls: int | None = None) -> "Deal":
        """Deal out hosts so that each process gets about as many URLs.

        Parameters
        ----------
        sizes : mapping of str to int
            Number of URLs by host; if there are more hosts than `MAX_NAMED`, of the largest.
        most : int
            Most processes; there are never more than hosts.
        urls : int, optional
            Number of all URLs; by default those of these hosts.
        """
        enough = -(-(sum(sizes.values()) if urls is None else urls) // URLS_A_PROCESS)
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

    def shares(self, rows: pa.Table) -> list[pa.Table]:
        """Sort rows by the owners of their hosts (column `host`); return some for each process."""
        hosts = rows["host"].combine_chunks().dictionary_encode()
        owners = np.array([self.owner(name) for name in hosts.dictionary.to_pylist()], np.int64)
        owned = owners[hosts.indices.to_numpy()]
        return [rows.filter(pa.array(owned == own)) for own in range(self.processes)]
