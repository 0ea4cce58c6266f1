"""HTTP requests by libcurl on asyncio's loop: connections kept, HTTP/2 where offered."""

import asyncio
import itertools
import resource
from types import TracebackType
from typing import Any, Self

import pycurl

from webemo_curate.download.certificates import SYSTEM, Certificates
from webemo_curate.download.failures import UNCODED, check_descriptors, failure
from webemo_curate.download.outcome import AttemptError
from webemo_curate.download.response import Response
from webemo_curate.errors import CurateError
from webemo_curate.verdicts import FetchStatus

MAX_CODINGS = 2
"""Content codings on one body. Each may swell what it is given a thousandfold before a piece of it
reaches our bound; brotli a millionfold, so it is taken alone only."""

MOST_KEPT = 512
"""Connections kept open, at most a quarter of the open files that the process may have: hosts that
have been asked do not take what others need. libcurl by itself keeps four times its requests."""

CODINGS = frozenset(
    {"aes128gcm", "br", "compress", "dcb", "dcz", "deflate", "exi", "gzip", "x-compress", "x-gzip"}
    | {"pack200-gzip", "zstd"}
)
"""The content codings there are (IANA, HTTP Content Coding Registry)."""

MAX_COOKIE_BYTES = 64 * 1024
"""Of all cookies of one URL's redirects; browsers keep up to 4 KB of each."""

BODY_FAILURES = frozenset(
    {pycurl.E_PARTIAL_FILE, pycurl.E_BAD_CONTENT_ENCODING, pycurl.E_WRITE_ERROR}
)
"""What can go wrong once the head of an answer is there."""


class _Exchange:
    """One request under way: gathers what libcurl hands over."""

    def __init__(self, response: Response, done: "asyncio.Future[None]") -> None:
        self.response = response
        self.done = done
        self._parts: list[bytes] = []
        self._size = 0
        self._stacked = False

    def on_header(self, line: bytes) -> int:
        """Take a header line; refusing it ends the transfer."""
        self.response.take(line)
        if line.strip():
            return len(line)
        codings = self.response.codings
        self._stacked = len(codings) > MAX_CODINGS or (len(codings) > 1 and "br" in codings)
        return -1 if self._stacked else len(line)

    def on_body(self, chunk: bytes) -> int:
        """Take a piece of the body; refusing it ends the transfer."""
        self._parts.append(chunk[: self.response.limit - self._size])
        self._size += len(chunk)
        if self._size > self.response.limit:
            self.response.complete = False
            return 0
        return len(chunk)

    def finish(self, status: int, error: int = 0, message: str = "", os_errno: int = 0) -> None:
        """Hand the answer, or why there is none, to whoever waits."""
        if self.done.done():
            return
        self.response.status, self.response.content = status, b"".join(self._parts)
        try:
            self._check(error, message, os_errno)
        except (AttemptError, CurateError) as failed:
            self.done.set_exception(failed)
        else:
            self.done.set_result(None)

    def _check(self, error: int, message: str, os_errno: int) -> None:
        status = self.response.status
        if self._stacked:
            raise AttemptError(FetchStatus.CORRUPT, "too many content codings", status)
        if not error or not self.response.complete:
            return
        if error in BODY_FAILURES and status >= 300:
            return  # it is the code that counts, as it does for browsers
        if error == pycurl.E_WRITE_ERROR:
            return  # more follows a gzip body that has ended: left, as browsers leave it
        raise failure(error, message, os_errno, status or None)


class Transport:
    """A pool of connections; an asynchronous context manager.

    Parameters
    ----------
    agent : str
        The User-Agent header.
    certificates : Certificates, optional
        Whom to trust; by default those of the system.
    """

    def __init__(self, agent: str, certificates: Certificates = SYSTEM) -> None:
        self._agent = agent
        self._certificates = certificates
        try:
            self._multi = pycurl.CurlMulti()
        except pycurl.error:
            check_descriptors()
            raise
        self._multi.setopt(pycurl.M_MAXCONNECTS, _most_kept())
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

    async def get(
        self, url: str, seconds: float, limit: int, accept: str, cookies: list[bytes]
    ) -> Response:
        """Make one request.

        No content coding is asked for, as pictures are compressed already; one that comes all the
        same is undone as it arrives. What is no coding at all is left, as browsers leave it:
        servers write `utf-8` there.

        Parameters
        ----------
        url : str
            An http or https URL in ASCII.
        seconds : float
            For all of it, name resolution and connection included.
        limit : int
            Bytes of the body, decoded, that are taken.
        accept : str
            The Accept header.
        cookies : list of bytes
            Those known, in libcurl's form; replaced by those known after the answer.

        Returns
        -------
        Response
            The answer, whatever its status code.

        Raises
        ------
        AttemptError
            If there is no complete answer.
        CurateError
            If the machine lacks what it takes to ask.
        """
        deadline = self._loop.time() + seconds
        response = Response(url, limit)
        try:
            return await self._exchange(response, seconds, accept, cookies)
        except AttemptError as error:
            if UNCODED not in str(error):
                raise
        for coding in CODINGS.intersection(response.codings):
            said = f"coded in {coding}, which this libcurl does not undo"
            raise AttemptError(FetchStatus.NOT_IMAGE, said, response.status)
        left = max(0.0, deadline - self._loop.time())
        return await self._exchange(Response(url, limit), left, accept, cookies, decode=False)

    async def _exchange(
        self,
        response: Response,
        seconds: float,
        accept: str,
        cookies: list[bytes],
        decode: bool = True,
    ) -> Response:
        curl = self._free.pop() if self._free else self._handle()
        exchange = _Exchange(response, self._loop.create_future())
        curl.setopt(pycurl.URL, response.url)
        curl.setopt(pycurl.HTTPHEADER, [f"Accept: {accept}"])
        curl.setopt(pycurl.TIMEOUT_MS, max(1, round(seconds * 1000)))
        curl.setopt(pycurl.HTTP_CONTENT_DECODING, int(decode))
        curl.setopt(pycurl.HEADERFUNCTION, exchange.on_header)
        curl.setopt(pycurl.WRITEFUNCTION, exchange.on_body)
        for line in cookies:
            curl.setopt(pycurl.COOKIELIST, line)
        self._exchanges[curl] = exchange
        self._multi.add_handle(curl)
        try:
            await exchange.done
        finally:
            del self._exchanges[curl]
            self._multi.remove_handle(curl)
            cookies[:] = _bounded(curl.getinfo_raw(pycurl.INFO_COOKIELIST))
            if cookies:
                curl.close()  # it would take none of them again, nor may another URL see them
            else:
                self._free.append(curl)
        return response

    def _handle(self) -> Any:
        curl = pycurl.Curl()
        curl.setopt(pycurl.USERAGENT, self._agent.encode())
        curl.setopt(pycurl.ACCEPT_ENCODING, "identity")
        curl.setopt(pycurl.COOKIEFILE, "")  # cookies are understood, and none is read or kept
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        curl.setopt(pycurl.PIPEWAIT, 1)  # share an HTTP/2 connection rather than open another
        curl.setopt(pycurl.NOSIGNAL, 1)
        self._trust(curl)
        return curl

    def _trust(self, curl: Any) -> None:
        bundle, folders = self._certificates.bundle, self._certificates.folders
        if bundle:
            curl.setopt(pycurl.CAINFO, bundle)
        elif folders:
            curl.unsetopt(pycurl.CAINFO)
        if folders:
            curl.setopt(pycurl.CAPATH, folders)

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
                self._exchanges[curl].finish(curl.getinfo(pycurl.RESPONSE_CODE))
            for curl, error, message in failed:
                status, os_errno = curl.getinfo(pycurl.RESPONSE_CODE), curl.getinfo(pycurl.OS_ERRNO)
                self._exchanges[curl].finish(status, error, message, os_errno)


def _most_kept() -> int:
    """Return how many connections are kept open for another request."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_KEPT if soft == resource.RLIM_INFINITY else max(1, min(MOST_KEPT, soft // 4))


def _bounded(cookies: list[bytes]) -> list[bytes]:
    """Return as many cookies as fit into `MAX_COOKIE_BYTES`."""
    ends = itertools.accumulate(map(len, cookies))
    return [line for line, end in zip(cookies, ends, strict=True) if end <= MAX_COOKIE_BYTES]
