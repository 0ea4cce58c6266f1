"""Which URLs may be asked for: http(s), no credentials, no way from the public net to a private."""

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from webemo_curate.download.outcome import AttemptError
from webemo_curate.errors import InputError
from webemo_curate.schemas import FetchStatus

MAX_URL_CHARACTERS = 4096


def checked(url: str) -> SplitResult:
    """Split a URL that may be fetched.

    Parameters
    ----------
    url : str
        As listed, or as a redirect gives it.

    Returns
    -------
    SplitResult
        Its parts.

    Raises
    ------
    AttemptError
        With status `bad_url`: another scheme, credentials, control characters, no host.
    """
    try:
        parts = urlsplit(url)
        sound = (
            parts.scheme in ("http", "https")
            and parts.hostname
            and not (parts.username or parts.password)
            and parts.port != 0
            and len(url) <= MAX_URL_CHARACTERS
            and url.isprintable()
            and " " not in url
        )
    except ValueError as error:
        raise AttemptError(FetchStatus.BAD_URL, str(error)) from error
    if not sound:
        raise AttemptError(FetchStatus.BAD_URL, f"not a plain http(s) URL: {parts.scheme or '-'}")
    return parts


def mirrored(url: str, mirror: str | None) -> str:
    """Put the mirror's scheme and host in place of a URL's."""
    checked(url)
    if mirror is None:
        return url
    place = urlsplit(mirror)
    return urlsplit(url)._replace(scheme=place.scheme, netloc=place.netloc).geturl()


def check_mirror(mirror: str | None) -> None:
    """Refuse a mirror that is not an http(s) URL of a host.

    Raises
    ------
    InputError
        If it is none.
    """
    if mirror is None:
        return
    try:
        checked(mirror)
    except AttemptError as error:
        raise InputError(
            f"--mirror {mirror}: {error}; give a URL such as http://host:8080"
        ) from error


def is_private(host: str) -> bool:
    """Tell whether a host's name or address leads to a network that is not public.

    Parameters
    ----------
    host : str
        Name or address; a name is resolved.

    Returns
    -------
    bool
        True if any of its addresses is loopback, private, link-local or otherwise not global.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False  # it cannot be reached either
    return any(not ipaddress.ip_address(str(entry[4][0])).is_global for entry in found)
