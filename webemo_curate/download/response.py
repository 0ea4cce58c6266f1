"""The response to one request, limited to what is needed."""

from dataclasses import dataclass, field

KEPT = {
    "content-encoding": 256,
    "content-range": 256,
    "content-type": 200,
    "location": 4 * 4096 + 1,
    "retry-after": 256,
    "x-robots-tag": 1024,
}
"""The headers that are kept, and how many bytes of each: all else that a server sends is dropped,
because a run lasts for hours. A Location beyond the limit of a URL is cut above that limit, so that
it is still refused as too long."""

NAMES = {name.encode(): name for name in KEPT}
"""The same names as they come."""

MAX_VALUES = 16
"""Most values kept of a header that a server repeats."""

SUCCESS = frozenset(range(200, 300)) - {204, 205}
"""Status codes whose body may be the picture.

Browsers show a picture under any of them: 203 is a proxy's copy; careless servers send 201 and 202;
one that is unknown means 200 (RFC 9110, 15). 204 and 205 have no body. A 206 that was not requested
is accepted if it holds the whole file.
"""


@dataclass
class Response:
    """The response to one request; redirects are not followed.

    Attributes
    ----------
    url
        The URL requested.
    limit
        Most bytes of the body to keep.
    status
        HTTP status code.
    content
        The body, its content coding undone; cut after `limit` bytes.
    complete
        False if the body exceeded the limit and was cut.
    is_public
        Whether it came from a public address, or through a proxy.
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
        """Keep a header line if its header is needed.

        A status line starts a new head, as after an interim response; trailers are dropped.
        """
        if line.startswith(b"HTTP/"):
            self._kept, self._ended = {}, False
            return
        self._ended = self._ended or line.isspace() or not line
        if self._ended:
            return
        key, _, value = line.partition(b":")
        if (name := NAMES.get(key.strip().lower())) is None:
            return
        values = self._kept.setdefault(name, [])
        if len(values) < MAX_VALUES:
            values.append(value.strip()[: KEPT[name]])

    def raw(self, name: str) -> list[bytes]:
        """Return all values of a header of `KEPT`, as bytes."""
        return self._kept.get(name, [])

    def headers(self, name: str) -> list[str]:
        """Return all values of a header of `KEPT`, decoded as Latin-1."""
        return [value.decode("latin-1") for value in self.raw(name)]

    def header(self, name: str) -> str | None:
        """Return a header's last value; None if the header is missing."""
        return next(reversed(self.headers(name)), None)

    @property
    def codings(self) -> list[str]:
        """The content codings of the body, in the order in which they were applied."""
        words = ",".join(self.headers("content-encoding")).lower().split(",")
        return [word.strip() for word in words if word.strip() not in ("", "identity", "none")]

    @property
    def partial(self) -> bool:
        """Whether the Content-Range says that the body is only a part of the file."""
        if self.status != 206:
            return False
        span, _, total = (self.header("content-range") or "").lower().partition("/")
        first, _, last = span.removeprefix("bytes").strip().partition("-")
        if not all(number.isascii() and number.isdigit() for number in (first, last, total)):
            return False  # not stated; an incomplete picture is found when it is decoded
        return int(first) != 0 or int(last) + 1 != int(total)
