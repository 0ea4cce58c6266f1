"""One large file by HTTP, into a file that a broken-off download goes on with."""

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
"""A download that brings nothing for so long is given up; what came is kept."""

OK, PARTIAL, NOT_SATISFIABLE = 200, 206, 416
CHECK_SECONDS = 0.2
"""Between two looks at what the program wants: Ctrl-C ends a download at once."""


@dataclass
class Answered:
    """A server's answer about a file.

    Attributes
    ----------
    status
        Of the last answer.
    headers
        Of all answers on the way, names in small letters; a later one wins.
    size
        Bytes of the whole file; None if it does not say.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    size: int | None = None


def ask_about(url: str, agent: str) -> Answered:
    """Ask for a file's headers alone.

    Parameters
    ----------
    url : str
        An http or https URL; redirects are followed.
    agent : str
        The User-Agent header.

    Returns
    -------
    Answered
        Whatever the status.

    Raises
    ------
    CurateError
        If nothing answers.
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
    """Bring a file, going on from what an earlier download left in its place.

    Parameters
    ----------
    url : str
        An http or https URL; redirects are followed.
    path : Path
        Appended to where the server serves parts, else written anew.
    agent : str
        The User-Agent header.
    limit : int
        Most bytes that are taken.
    moved : callable
        Given numbers of bytes as they come.

    Raises
    ------
    CurateError
        If it does not come whole; what came stays.
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
    """Writes what comes, from the start where the server does not go on from the middle."""

    def __init__(
        self, stream: IO[bytes], answered: Answered, limit: int, moved: Callable[[int], None]
    ) -> None:
        self._stream, self._answered = stream, answered
        self._limit, self._moved = limit, moved
        self._began = False

    def write(self, content: bytes) -> int:
        """Take a part of the body; a number other than its length makes libcurl stop."""
        status = self._answered.status  # libcurl tells nothing while it runs
        if status not in (OK, PARTIAL):
            return len(content)  # an error's page
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
    """Take a line of an answer's head: the status line, or a header."""
    text = line.decode("latin-1")
    if text.startswith("HTTP/"):
        _, _, rest = text.partition(" ")
        answered.status = int(rest[:3]) if rest[:3].isdecimal() else 0
        return
    name, colon, value = text.partition(":")
    if colon:
        answered.headers[name.strip().lower()] = value.strip()


def _perform(curl: Any, url: str) -> None:
    """Run a transfer in small steps, so that Ctrl-C is seen between them."""
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
