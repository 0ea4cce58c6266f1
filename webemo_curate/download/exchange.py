"""Collect what libcurl receives for one request, and report how the request ended."""

import asyncio
import socket
from typing import Any

import pycurl

from webemo_curate.download.brake import Brake
from webemo_curate.download.failures import failure
from webemo_curate.download.outcome import AttemptError
from webemo_curate.download.public_net import is_public, private
from webemo_curate.download.response import Response
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import FetchStatus

MAX_CODINGS = 2
"""Most content codings accepted on one body. Each may expand its input a thousandfold before our
size limit sees any of it. Brotli expands a millionfold, so it is accepted only alone."""

CODINGS = frozenset(
    {"aes128gcm", "br", "compress", "dcb", "dcz", "deflate", "exi", "gzip", "x-compress", "x-gzip"}
    | {"pack200-gzip", "zstd"}
)
"""All registered content codings (IANA, HTTP Content Coding Registry)."""

BODY_FAILURES = frozenset(
    {pycurl.E_PARTIAL_FILE, pycurl.E_BAD_CONTENT_ENCODING, pycurl.E_WRITE_ERROR}
)
"""Errors of libcurl that can occur after a response's headers have arrived."""


class Exchange:
    """Collects the header lines and body of one response.

    Parameters
    ----------
    response : Response
        Receives the response.
    done : asyncio.Future
        Resolved with None when the response is complete, else with the error.
    proxied : bool, default False
        Whether the connection leads to a proxy.

    Attributes
    ----------
    brake
        Ends the transfer at its time limit, and pauses it while there is no room for its body; None
        until it begins.
    """

    def __init__(
        self, response: Response, done: "asyncio.Future[None]", *, proxied: bool = False
    ) -> None:
        self.response = response
        self.done = done
        self.proxied = proxied
        self.brake: Brake | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._stacked = self._kept_out = False
        self._fault: OSError | None = None

    def open_public(self, _purpose: int, place: Any) -> Any:
        """Open a socket to a public address, and to no other; called by libcurl."""
        family, kind, protocol, address = place
        if not is_public(str(address[0])):
            self._kept_out = True
            return pycurl.SOCKET_BAD
        try:
            return socket.socket(family, kind, protocol)
        except OSError as error:
            self._fault = error
            return pycurl.SOCKET_BAD

    def on_header(self, line: bytes) -> int:
        """Take a header line; returning another length than the line's ends the transfer."""
        self.response.take(line)
        if not line.isspace():
            return len(line)
        codings = self.response.codings
        self._stacked = len(codings) > MAX_CODINGS or (len(codings) > 1 and "br" in codings)
        return -1 if self._stacked else len(line)

    def on_body(self, chunk: bytes) -> int:
        """Take a piece of the body, or pause; returning another length ends the transfer."""
        kept = chunk[: self.response.limit - self._size]
        if self.brake and not self.brake.lets(len(kept)):
            return int(pycurl.WRITEFUNC_PAUSE)
        self._parts.append(kept)
        self._size += len(chunk)
        if self._size > self.response.limit:
            self.response.complete = False
            return 0
        return len(chunk)

    def finish(self, status: int, error: int = 0, message: str = "", os_errno: int = 0) -> None:
        """Give the waiting caller the response, or the reason why there is none."""
        if self.done.done():
            return
        parts, self._parts = self._parts, []
        self.response.status, self.response.content = status, b"".join(parts)
        try:
            self._check(error, message, os_errno)
        except Exception as failed:
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
            return  # the status decides, as in browsers
        if error == pycurl.E_WRITE_ERROR:
            return  # bytes after the end of a gzip body are ignored, as browsers do
        if self._fault:
            raise_system_fault(self._fault)
        if self._kept_out and error == pycurl.E_COULDNT_CONNECT:
            raise private()
        raise failure(error, message, os_errno, status or None)


def check_codings(response: Response) -> None:
    """Raise if a body has a registered coding that libcurl cannot decode; unknown codings pass."""
    for coding in CODINGS.intersection(response.codings):
        said = f"coded in {coding}, which this libcurl does not undo"
        raise AttemptError(FetchStatus.NOT_IMAGE, said, response.status)
