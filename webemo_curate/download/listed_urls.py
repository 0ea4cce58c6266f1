"""The URLs of a fetch in hash order, on the disk; a URL is known by its place in that order."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from webemo_curate.sampling import draw
from webemo_curate.table_engine import TableEngine

IN_ORDER = """
select url, number from ( -- the numbers of `sampling.hash_order`
    select distinct url, ('0x' || substr(sha256($draw || url), 1, 16))::ubigint as number
    from listing
)
order by number, url
limit $limit
"""

ALL = 2**63 - 1

THREADS: Final = 1
"""Threads that sort a fetch's URLs and outcomes: each needs a part of the memory, and sorting is a
small part of a fetch."""

URL_SORTING_BYTES: Final = 160 * 2**20
BYTES_A_URL: Final = 16
"""Bytes within which URLs are sorted: the larger of the two. More would be filled, and would not
make it faster."""

Mask = NDArray[np.bool_]
"""A truth for each place."""


def url_bytes(urls: int, memory: int) -> int:
    """Return the bytes within which so many URLs are sorted, of those that there are."""
    return min(memory, max(URL_SORTING_BYTES, BYTES_A_URL * urls))


class ListedUrls:
    """Distinct URLs in hash order. In memory are eight bytes of each.

    Parameters
    ----------
    engine : TableEngine
        Sorts its table `listing` within its bound of memory.
    seed : int
        Seed of the order.
    purpose : str
        See `sampling.hash_order`.
    limit : int, optional
        Most URLs: the first of the order, so that they are always a fair sample of the lists.
    """

    def __init__(
        self, engine: TableEngine, seed: int, purpose: str, limit: int | None = None
    ) -> None:
        self._draw = hashlib.sha256(draw(seed, purpose).encode())
        most = ALL if limit is None else limit
        rows = engine.table(IN_ORDER, draw=draw(seed, purpose), limit=most)
        self._urls: pa.ChunkedArray = rows["url"]
        self._numbers: NDArray[np.uint64] = rows["number"].to_numpy()
        # An outcome is looked up several times in a row.
        self._sought: tuple[str | None, int | None] = (None, None)

    def __len__(self) -> int:
        return len(self._numbers)

    def place(self, url: str) -> int | None:
        """Return the place of a URL; None if it is not among them."""
        if url != self._sought[0]:
            self._sought = url, self._found(url)
        return self._sought[1]

    def _found(self, url: str) -> int | None:
        drawn = self._draw.copy()  # as `sampling.hash_order` does for many
        drawn.update(url.encode())
        number = np.uint64(int.from_bytes(drawn.digest()[:8]))
        place = int(self._numbers.searchsorted(number))
        while place < len(self) and self._numbers[place] == number:
            if self._urls[place].as_py() == url:
                return place
            place += 1
        return None

    def mask(self, urls: Iterable[str]) -> Mask:
        """Return which places some URLs have; URLs that are not listed are skipped."""
        found = np.zeros(len(self), bool)
        for url in urls:
            if (place := self.place(url)) is not None:
                found[place] = True
        return found

    def chosen(self, mask: Mask) -> Iterator[tuple[NDArray[np.int64], list[str]]]:
        """Yield the chosen places and their URLs, some at a time, in order."""
        start = 0
        for chunk in self._urls.chunks:
            part = mask[start : start + len(chunk)]
            yield start + np.flatnonzero(part), chunk.filter(pa.array(part)).to_pylist()
            start += len(chunk)
