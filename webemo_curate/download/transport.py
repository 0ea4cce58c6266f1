"""HTTP requests by libcurl on asyncio's loop: connections kept, HTTP/2 where offered."""

import asyncio
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import pycurl

from webemo_curate.download.outcome import AttemptError
from webemo_curate.schemas import FetchStatus

STATUS_BY_ERROR = {
    pycurl.E_OPERATION_TIMEDOUT: FetchStatus.TIMEOUT,
    pycurl.E_PARTIAL_FILE: FetchStatus.TRUNCATED,
    pycurl.E_URL_MALFORMAT: FetchStatus.BAD_URL,
}
"""What libcurl's errors come to; any other is a `connection` failure."""

ERROR_NAMES = {
    code: name.removeprefix("E_").lower().replace("_", " ")
    for name, code in vars(pycurl).items()
    if name.startswith("E_")
}


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
    lines
        Header lines as they came.
    content
        The body, as transferred: no content coding is undone.
    complete
        False if the body was longer than the limit and was broken off.
    """

    url: str
    limit: int
    status: int = 0
    lines: list[bytes] = field(default_factory=list)
    content: bytes = b""
    complete: bool = True

    def headers(self, name: str) -> list[str]:
        """Return all values of a header; `name` is in lower case."""
        values = []
        for line in self.lines:
            key, _, value = line.decode("latin-1").partition(":")
            if key.strip().lower() == name:
                values.append(value.strip())
        return values

    def header(self, name: str) -> str | None:
        """Return a header's last value; None without one."""
        return next(reversed(self.headers(name)), None)


class _Exchange:
    """One request under way: gathers what libcurl hands over."""

    def __init__(self, response: Response, done: "asyncio.Future[None]") -> None:
        self.response = response
        self.done = done
        self._parts: list[bytes] = []
        self._size = 0

    def on_body(self, chunk: bytes) -> int:
        """Take a piece of the body; refusing it ends the transfer."""
        self._size += len(chunk)
        if self._size > self.response.limit:
            self.response.complete = False
            return 0
        self._parts.append(chunk)
        return len(chunk)

    def finish(self, status: int, error: int | None) -> None:
        """Hand the answer, or why there is none, to whoever waits."""
        if self.done.done():
            return
        self.response.status, self.response.content = status, b"".join(self._parts)
        if error is None or not self.response.complete:
            self.done.set_result(None)
            return
        outcome = STATUS_BY_ERROR.get(error, FetchStatus.CONNECTION)
        self.done.set_exception(AttemptError(outcome, ERROR_NAMES.get(error, f"curl {error}")))


class Transport:
    """A pool of connections; an asynchronous context manager.

    Parameters
    ----------
    agent : str
        The User-Agent header.
    """

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._exchanges: dict[Any, _Exchange] = {}
        self._free: list[Any] = []
        self._watched: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        """Bind to the running loop."""
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all connections."""
        self._on_timer(-1)
        for curl in self._exchanges:
            self._multi.remove_handle(curl)
            curl.close()
        for curl in self._free:
            curl.close()
        self._multi.close()

    async def get(self, url: str, seconds: float, limit: int) -> Response:
        """Make one request.

        Parameters
        ----------
        url : str
            An http or https URL.
        seconds : float
            For all of it, name resolution and connection included.
        limit : int
            Bytes of the body that are taken.

        Returns
        -------
        Response
            The answer, whatever its status code.

        Raises
        ------
        AttemptError
            If there is no complete answer.
        """
        curl = self._free.pop() if self._free else self._handle()
        exchange = _Exchange(Response(url, limit), self._loop.create_future())
        curl.setopt(pycurl.URL, url.encode())
        curl.setopt(pycurl.TIMEOUT_MS, max(1, round(seconds * 1000)))
        # libcurl itself refuses headers of more than 300 KB.
        curl.setopt(pycurl.HEADERFUNCTION, exchange.response.lines.append)
        curl.setopt(pycurl.WRITEFUNCTION, exchange.on_body)
        self._exchanges[curl] = exchange
        self._multi.add_handle(curl)
        try:
            await exchange.done
        finally:
            del self._exchanges[curl]
            self._multi.remove_handle(curl)
            self._free.append(curl)
        return exchange.response

    def _handle(self) -> Any:
        curl = pycurl.Curl()
        curl.setopt(pycurl.USERAGENT, self._agent)
        curl.setopt(pycurl.HTTPHEADER, ["Accept: image/*"])
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        curl.setopt(pycurl.PIPEWAIT, 1)  # share an HTTP/2 connection rather than open another
        curl.setopt(pycurl.NOSIGNAL, 1)
        return curl

    def _on_socket(self, action: int, descriptor: int, multi: Any, data: Any) -> None:  # noqa: ARG002
        """Watch a socket for what libcurl waits for; called by libcurl."""
        if descriptor in self._watched:
            self._loop.remove_reader(descriptor)
            self._loop.remove_writer(descriptor)
            self._watched.discard(descriptor)
        if action in (pycurl.POLL_IN, pycurl.POLL_INOUT):
            self._loop.add_reader(descriptor, self._act, descriptor, pycurl.CSELECT_IN)
            self._watched.add(descriptor)
        if action in (pycurl.POLL_OUT, pycurl.POLL_INOUT):
            self._loop.add_writer(descriptor, self._act, descriptor, pycurl.CSELECT_OUT)
            self._watched.add(descriptor)

    def _on_timer(self, milliseconds: int) -> None:
        """Set or clear libcurl's one timer; called by libcurl, which forbids acting at once."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if milliseconds >= 0:
            self._timer = self._loop.call_later(
                milliseconds / 1000, self._act, pycurl.SOCKET_TIMEOUT, 0
            )

    def _act(self, descriptor: int, mask: int) -> None:
        self._multi.socket_action(descriptor, mask)
        left = 1
        while left:
            left, succeeded, failed = self._multi.info_read()
            for curl in succeeded:
                self._exchanges[curl].finish(curl.getinfo(pycurl.RESPONSE_CODE), None)
            for curl, error, _ in failed:
                self._exchanges[curl].finish(curl.getinfo(pycurl.RESPONSE_CODE), error)
