"""HTTP requests by libcurl on asyncio's event loop, with kept connections and HTTP/2."""

import asyncio
import itertools
import threading
from collections.abc import Iterable
from functools import partial
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import pycurl

from webemo_curate.download.brake import Brake
from webemo_curate.download.certificates import SYSTEM, Certificates
from webemo_curate.download.exchange import Exchange, check_codings
from webemo_curate.download.failures import DIED, UNCODED, check_descriptors
from webemo_curate.download.names import Names
from webemo_curate.download.outcome import AttemptError
from webemo_curate.download.public_net import is_known_private, is_public
from webemo_curate.download.response import Response
from webemo_curate.download.room import Share
from webemo_curate.download.route import Route, Routes
from webemo_curate.download.sockets import Sockets
from webemo_curate.system_faults import held_at_most

MAX_KEPT = 256
"""Most connections kept open; see `held_at_most`. libcurl's default is four times the number of
requests."""

CLOSING_SECONDS = 1.0
"""Seconds that closing connections may block; the rest is closed in the background."""

MAX_COOKIE_BYTES = 64 * 1024
"""Most bytes of all cookies on one URL's redirects; browsers keep up to 4 KB of each cookie."""


class Transport:
    """A pool of connections; an asynchronous context manager.

    Parameters
    ----------
    agent : str
        User-Agent header.
    certificates : Certificates, optional
        Certificates to trust; by default the system's.
    names : Names, optional
        Looks up host names.
    public_only : bool, default False
        Whether to connect to public addresses only. It is a property of the pool, not of a request,
        because requests to one host share connections.
    """

    def __init__(
        self,
        agent: str,
        certificates: Certificates = SYSTEM,
        names: Names | None = None,
        *,
        public_only: bool = False,
    ) -> None:
        self._agent, self._certificates = agent, certificates
        self._routes = Routes(names or Names(), public_only=public_only)
        self._public_only = public_only
        try:
            self._multi = pycurl.CurlMulti()
        except pycurl.error:
            check_descriptors()
            raise
        self._multi.setopt(pycurl.M_MAXCONNECTS, held_at_most(MAX_KEPT))
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._exchanges: dict[Any, Exchange] = {}
        self._free: list[Any] = []
        self._sockets = Sockets()
        self._timer: asyncio.Handle | None = None

    async def __aenter__(self) -> Self:
        """Bind to the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._sockets, lambda: self._act(self._sockets.ready()))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all connections."""
        self._on_timer(-1)
        self._loop.remove_reader(self._sockets)
        self._sockets.close()
        for curl in self._exchanges:
            self._multi.remove_handle(curl)
            curl.close()
        self._exchanges.clear()
        for curl in self._free:
            curl.close()
        # libcurl blocks here while it looks up a proxy's name; other tasks must not wait for that.
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, _ignore)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, _ignore)
        closing = threading.Thread(target=self._multi.close, name="closing", daemon=True)
        closing.start()
        closing.join(CLOSING_SECONDS)

    async def get(
        self,
        url: str,
        seconds: float,
        limit: int,
        accept: str,
        cookies: list[bytes],
        share: Share | None = None,
    ) -> Response:
        """Make one request.

        No content coding is requested, because pictures are already compressed. A registered coding
        is undone as the body arrives. An unknown one is ignored, as browsers do: some servers write
        `utf-8` there.

        Parameters
        ----------
        url : str
            An http or https URL in ASCII.
        seconds : float
            Time limit of the whole request, including name look-up and connection.
        limit : int
            Most bytes of the decoded body to keep.
        accept : str
            Accept header.
        cookies : list of bytes
            Cookies in libcurl's form; replaced by those valid after the response.
        share : Share, optional
            Accounts for the body's bytes. A body that finds no room waits, and so does a name that
            finds no thread; this time does not count against `seconds`. The bytes stay taken until
            the share's owner gives them back.

        Returns
        -------
        Response
            The response, whatever its status code.

        Raises
        ------
        AttemptError
            If no complete response arrives, or the address may not be connected to.
        CurateError
            If the machine lacks what the request needs.
        """
        deadline = self._loop.time() + seconds
        route = await self._routes.of(url, seconds)
        deadline += route.waited
        if share:
            share.waited += route.waited
        decode, fresh = True, False
        while True:
            response = Response(url, limit)
            left = max(0.0, deadline - self._loop.time())
            try:
                return await self._exchange(
                    response, route, left, accept, cookies, share, form=(decode, fresh)
                )
            except AttemptError as error:
                if DIED in str(error) and not fresh:
                    fresh = True
                elif UNCODED in str(error) and decode:
                    check_codings(response)
                    decode = False
                else:
                    raise
                if share:
                    share.give_back()

    async def _exchange(
        self,
        response: Response,
        route: Route,
        seconds: float,
        accept: str,
        cookies: list[bytes],
        share: Share | None,
        form: tuple[bool, bool],
    ) -> Response:
        decode, fresh = form
        curl = self._free.pop() if self._free else self._handle()
        exchange = Exchange(response, self._loop.create_future(), proxied=bool(route.proxy))
        curl.setopt(pycurl.URL, response.url)
        curl.setopt(pycurl.HTTPHEADER, [f"Accept: {accept}"])
        curl.setopt(pycurl.HTTP_CONTENT_DECODING, int(decode))
        curl.setopt(pycurl.FRESH_CONNECT, int(fresh))
        curl.setopt(pycurl.HEADERFUNCTION, exchange.on_header)
        curl.setopt(pycurl.WRITEFUNCTION, exchange.on_body)
        self._direct(curl, exchange, route)
        for line in cookies:
            curl.setopt(pycurl.COOKIELIST, line)
        self._exchanges[curl] = exchange
        brake = exchange.brake = Brake(curl, share, seconds, partial(self._finish, curl))
        self._multi.add_handle(curl)
        try:
            await exchange.done
        finally:
            brake.end()
            if self._exchanges.pop(curl, None):  # otherwise everything is already closed
                self._release(curl, cookies)
        return response

    def _release(self, curl: Any, cookies: list[bytes]) -> None:
        self._multi.remove_handle(curl)
        cookies[:] = _bounded(curl.getinfo_raw(pycurl.INFO_COOKIELIST))
        if cookies:
            curl.close()  # its cookies must not reach another URL, and could not be set anew
        else:
            self._free.append(curl)

    def _handle(self) -> Any:
        curl = pycurl.Curl()
        curl.setopt(pycurl.USERAGENT, self._agent.encode())
        curl.setopt(pycurl.ACCEPT_ENCODING, "identity")
        curl.setopt(pycurl.COOKIEFILE, "")  # turn the cookie engine on, without a file
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        curl.setopt(pycurl.PIPEWAIT, 1)  # prefer sharing an HTTP/2 connection to opening another
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, 2**31 - 1)  # none: the brake ends what takes too long
        self._trust(curl)
        return curl

    def _direct(self, curl: Any, exchange: Exchange, route: Route) -> None:
        """Set where the connection goes, and which addresses it must refuse."""
        curl.setopt(pycurl.PROXY, route.proxy)
        curl.setopt(pycurl.NOPROXY, "")
        curl.setopt(pycurl.RESOLVE, [*route.names])
        if self._public_only and not route.proxy:
            curl.setopt(pycurl.OPENSOCKETFUNCTION, exchange.open_public)
        elif self._public_only:
            curl.unsetopt(pycurl.OPENSOCKETFUNCTION)

    def _trust(self, curl: Any) -> None:
        bundle, folders = self._certificates.bundle, self._certificates.folders
        if bundle:
            curl.setopt(pycurl.CAINFO, bundle)
        elif folders:
            curl.unsetopt(pycurl.CAINFO)
        if folders:
            curl.setopt(pycurl.CAPATH, folders)

    def _on_socket(self, action: int, descriptor: int, multi: Any, data: Any) -> None:  # noqa: ARG002
        """Watch a socket for the events that libcurl asks for; called by libcurl."""
        self._sockets.watch(descriptor, action)

    def _on_timer(self, milliseconds: int) -> None:
        """Set or clear libcurl's timer; called by libcurl, which forbids acting at once."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        act = partial(self._act, [(pycurl.SOCKET_TIMEOUT, 0)])
        if milliseconds == 0:  # most of them; the loop's heap of timers costs more
            self._timer = self._loop.call_soon(act)
        elif milliseconds > 0:
            self._timer = self._loop.call_later(milliseconds / 1000, act)

    def _act(self, ready: Iterable[tuple[int, int]]) -> None:
        """Let libcurl act on sockets that are ready, and finish what has ended."""
        for descriptor, mask in ready:
            self._multi.socket_action(descriptor, mask)
        left = 1
        while left:
            left, succeeded, failed = self._multi.info_read()
            for curl in succeeded:
                self._finish(curl)
            for curl, error, message in failed:
                self._finish(curl, error, message, curl.getinfo(pycurl.OS_ERRNO))

    def _finish(self, curl: Any, error: int = 0, message: str = "", os_errno: int = 0) -> None:
        exchange = self._exchanges[curl]
        url = exchange.response.url
        exchange.response.is_public = (
            not is_known_private(urlsplit(url).hostname or "")
            if exchange.proxied
            else is_public(curl.getinfo(pycurl.PRIMARY_IP))
        )
        exchange.finish(curl.getinfo(pycurl.RESPONSE_CODE), error, message, os_errno)


def _ignore(*_: Any) -> None:
    """Do nothing: libcurl may call back while it closes connections."""


def _bounded(cookies: list[bytes]) -> list[bytes]:
    """Return as many cookies as fit into `MAX_COOKIE_BYTES`."""
    ends = itertools.accumulate(map(len, cookies))
    return [line for line, end in zip(cookies, ends, strict=True) if end <= MAX_COOKIE_BYTES]
