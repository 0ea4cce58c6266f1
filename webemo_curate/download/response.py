"""An answer to one request, as much of it as is kept."""

from dataclasses import dataclass, field

KEPT = {
    "content-encoding": 256,
    "content-range": 256,
    "content-type": 200,
    "location": 4 * 4096 + 1,
    "retry-after": 256,
    "x-robots-tag": 1024,
}
"""The headers that are read, with the bytes of each that are kept: what a server sends beyond is
not held for as long as a run takes. A Location longer than any URL may be stays too long."""

MAX_VALUES = 16
"""Of one header: kept of those that a server repeats."""

SUCCESS = frozenset({200, 201, 202, 203, 206})
"""Codes of success that carry what was asked for.

Browsers show a picture under any of them: 203 is a proxy's copy, 201 and 202 are what careless
servers say. 204 and 205 have no body. A 206 that was not asked for counts if it holds all.
"""


@dataclass
class Response:
    """An answer to one request; redirects are not followed.

    Attributes
    ----------
    url
        What was asked for.
    limit
        Bytes of the body that are taken.
    status
        HTTP status code.
    content
        The body, its content coding undone; its first `limit` bytes if it was longer.
    complete
        False if the body was longer than the limit and was broken off.
    is_public
        Whether it came from an address of the public net, or through a proxy.
    """

    url: str
    limit: int
    status: int = 0
    content: bytes = b""
    complete: bool = True
    is_public: bool = True
    _kept: dict[str, list[bytes]] = field(default_factory=dict)
    _ended: bool = False

    def take(self, line: bytes) -> None:
        """Keep a header line if it is one that is read.

        A status line begins anew, as after an interim answer; what follows the body is left.
        """
        if line.startswith(b"HTTP/"):
            self._kept, self._ended = {}, False
            return
        self._ended = self._ended or not line.strip()
        if self._ended:
            return
        key, _, value = line.partition(b":")
        name = key.strip().lower().decode("latin-1")
        values = self._kept.setdefault(name, []) if name in KEPT else None
        if values is not None and len(values) < MAX_VALUES:
            values.append(value.strip()[: KEPT[name]])

    def raw(self, name: str) -> list[bytes]:
        """Return all values of a header of `KEPT`, as they came."""
        return self._kept.get(name, [])

    def headers(self, name: str) -> list[str]:
        """Return all values of a header of `KEPT`; any bytes are text in Latin-1."""
        return [value.decode("latin-1") for value in self.raw(name)]

    def header(self, name: str) -> str | None:
        """Return a header's last value; None without one."""
        return next(reversed(self.headers(name)), None)

    @property
    def codings(self) -> list[str]:
        """Content codings that were applied, in order."""
        words = ",".join(self.headers("content-encoding")).lower().split(",")
        return [word.strip() for word in words if word.strip() not in ("", "identity", "none")]

    @property
    def partial(self) -> bool:
        """Tell whether it is a part of what was asked for, by its Content-Range."""
        if self.status != 206:
            return False
        span, _, total = (self.header("content-range") or "").lower().partition("/")
        first, _, last = span.removeprefix("bytes").strip().partition("-")
        if not all(number.isascii() and number.isdigit() for number in (first, last, total)):
            return False  # it does not say; whether the picture is whole shows when it is decoded
        return int(first) != 0 or int(last) + 1 != int(total)
