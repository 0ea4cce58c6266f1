"""Download one large file by HTTP; an interrupted download is resumed."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pycurl

from webemo_curate.download.certificates import trusted
from webemo_curate.download.failures import ERROR_NAMES
from webemo_curate.download.proxies import proxy_of
from webemo_curate.errors import CurateError
from webemo_curate.storage.appending import open_appending
from webemo_curate.system_faults import raise_system_fault

MAX_REDIRECTS = 8
CONNECT_SECONDS = 30
STALLED_SECONDS = 60
"""Seconds without data after which a download is given up; the part received is kept."""

OK, PARTIAL, NOT_SATISFIABLE = 200, 206, 416
CHECK_SECONDS = 0.2
"""Seconds between two checks for Ctrl-C during a transfer."""


@dataclass
class Answered:
    """A server's response to a request for a file.

    Attributes
    ----------
    status
        Status of the last response.
    headers
        Headers of all responses on the way, names in lower case; later values replace earlier ones.
    size
        Bytes of the whole file; None if the server does not say.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    size: int | None = None


def ask_about(url: str, agent: str) -> Answered:
    """Request a file's headers only.

    Parameters
    ----------
    url : str
        An http or https URL; redirects are followed.
    agent : str
        User-Agent header.

    Returns
    -------
    Answered
        The response, whatever its status.

    Raises
    ------
    CurateError
        If there is no response.
    """
    answered = Answered()
    curl = _handle(url, agent, answered)
    curl.setopt(pycurl.NOBODY, 1)
    _perform(curl, url)
    length = int(curl.getinfo(pycurl.CONTENT_LENGTH_DOWNLOAD_T))
    answered.size = length if length >= 0 else None
    curl.close()
    return answered


def download(
    url: str, path: Path, agent: str, limit: int, moved: Callable[[int], None] = lambda _: None
) -> None:
    """Download a file, resuming from the part that an earlier download left at `path`.

    Parameters
    ----------
    url : str
        An http or https URL; redirects are followed.
    path : Path
        Appended to if the server supports ranges, else written anew.
    agent : str
        User-Agent header.
    limit : int
        Most bytes accepted.
    moved : callable
        Called with the number of bytes of each piece that arrives.

    Raises
    ------
    CurateError
        If the file does not arrive complete; the part received is kept.
    """
    answered = Answered()
    curl = _handle(url, agent, answered)
    there = path.stat().st_size if path.exists() else 0
    if there:
        curl.setopt(pycurl.RANGE, f"{there}-")
    with os.fdopen(open_appending(path), "ab") as stream:
        body = _Arriving(stream, answered, limit, moved)
        curl.setopt(pycurl.WRITEFUNCTION, body.write)
        _perform(curl, url)
    status = answered.status
    curl.close()
    if status not in (OK, PARTIAL) and not (there and status == NOT_SATISFIABLE):
        raise CurateError(f"{url}: HTTP status {status}; try again later, or name another --mirror")


class _Arriving:
    """Writes the body to the file, from its start if the server ignored the range."""

    def __init__(
        self, stream: IO[bytes], answered: Answered, limit: int, moved: Callable[[int], None]
    ) -> None:
        self._stream, self._answered = stream, answered
        self._limit, self._moved = limit, moved
        self._began = False

    def write(self, content: bytes) -> int:
        """Write a piece of the body; returning another length makes libcurl stop."""
        status = self._answered.status  # libcurl does not report it while the transfer runs
        if status not in (OK, PARTIAL):
            return len(content)  # the body of an error response
        if not self._began and status == OK:
            self._stream.truncate(0)
        self._began = True
        if self._stream.tell() + len(content) > self._limit:
            return 0
        self._stream.write(content)
        self._moved(len(content))
        return len(content)


def _handle(url: str, agent: str, answered: Answered) -> Any:
    curl = pycurl.Curl()
    options: Mapping[int, object] = {
        pycurl.URL: url,
        pycurl.USERAGENT: agent.encode(),
        pycurl.FOLLOWLOCATION: 1,
        pycurl.MAXREDIRS: MAX_REDIRECTS,
        pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.REDIR_PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.CONNECTTIMEOUT: CONNECT_SECONDS,
        pycurl.LOW_SPEED_LIMIT: 1,
        pycurl.LOW_SPEED_TIME: STALLED_SECONDS,
        pycurl.PROXY: proxy_of(url) or "",
        pycurl.NOSIGNAL: 1,
        pycurl.HEADERFUNCTION: lambda line: _note(line, answered),
    }
    for option, value in options.items():
        curl.setopt(option, value)
    certificates = trusted()
    if certificates.bundle:
        curl.setopt(pycurl.CAINFO, certificates.bundle)
    if certificates.folders:
        curl.setopt(pycurl.CAPATH, certificates.folders)
    return curl


def _note(line: bytes, answered: Answered) -> None:
    """Record a status line or header."""
    text = line.decode("latin-1")
    if text.startswith("HTTP/"):
        _, _, rest = text.partition(" ")
        answered.status = int(rest[:3]) if rest[:3].isdecimal() else 0
        return
    name, colon, value = text.partition(":")
    if colon:
        answered.headers[name.strip().lower()] = value.strip()


def _perform(curl: Any, url: str) -> None:
    """Run a transfer in short steps, so that Ctrl-C takes effect between them."""
    multi = pycurl.CurlMulti()
    multi.add_handle(curl)
    running = 1
    try:
        while running:
            _, running = multi.perform()
            if running and multi.select(CHECK_SECONDS) < 0:
                time.sleep(CHECK_SECONDS)
        _, _, failed = multi.info_read()
    finally:
        multi.remove_handle(curl)
        multi.close()
    for _, number, message in failed:
        fault = OSError(curl.getinfo(pycurl.OS_ERRNO), message)
        raise_system_fault(fault, url)
        reason = ERROR_NAMES.get(number, message)
        raise CurateError(
            f"{url}: the download broke off ({reason}); the same command goes on from there"
        )
