"""Check which URLs may be requested: http(s) only, without credentials."""

import re
from urllib.parse import SplitResult, urlsplit

from webemo_curate.credentials import MASK, masked
from webemo_curate.download.outcome import AttemptError
from webemo_curate.download.urls import PLAIN, with_slashes, written
from webemo_curate.errors import InputError
from webemo_curate.verdicts import FetchStatus

MAX_URL_CHARACTERS = 4096
IN_AUTHORITY = re.compile(r"[^\s'\"]*@")
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def checked(url: str) -> str:
    """Check that a URL may be requested, and normalize it.

    Parameters
    ----------
    url : str
        As listed, or as a redirect gave it.

    Returns
    -------
    str
        The URL in ASCII; see `written`.

    Raises
    ------
    AttemptError
        With status `bad_url` and the reason.
    """
    if len(url) <= MAX_URL_CHARACTERS and PLAIN.fullmatch(url):
        return url
    try:
        wrong = _wrong(url, urlsplit(with_slashes(url)))
        if wrong is None:
            return written(url)
    except (ValueError, IndexError) as error:  # raised by urllib and idna on malformed input
        raise AttemptError(FetchStatus.BAD_URL, _short(error)) from error
    raise AttemptError(FetchStatus.BAD_URL, wrong)


def _wrong(url: str, parts: SplitResult) -> str | None:
    if len(url) > MAX_URL_CHARACTERS:
        return f"longer than {MAX_URL_CHARACTERS} characters"
    if CONTROLS.search(url):
        return "a control character"
    if parts.scheme not in ("http", "https"):
        return f"not an http(s) URL: {_short(parts.scheme) or 'no scheme'}"
    if not parts.hostname:
        return "no host"
    if parts.username is not None or parts.password is not None:
        return "it holds credentials"
    return "port 0" if parts.port == 0 else None


def mirrored(url: str, mirror: str | None) -> str:
    """Replace a URL's scheme and host by the mirror's and check the result; see `checked`."""
    target = checked(url)
    if mirror is None:
        return target
    place = urlsplit(checked(mirror))
    return urlsplit(target)._replace(scheme=place.scheme, netloc=place.netloc).geturl()


def check_mirror(mirror: str | None) -> None:
    """Check that a mirror is an http(s) URL with a host.

    Raises
    ------
    InputError
        If it is not.
    """
    if mirror is None:
        return
    try:
        checked(mirror)
    except AttemptError as error:
        raise InputError(
            f"--mirror {masked(mirror)}: {error}; give a URL such as http://host:8080"
        ) from error


def _short(said: object) -> str:
    """Shorten a value that may hold a long hostile URL, and make it text for a manifest."""
    return IN_AUTHORITY.sub(MASK, str(said))[:80].encode("utf-8", errors="replace").decode("utf-8")
