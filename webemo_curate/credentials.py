"""Credentials in URLs: told, and kept out of whatever is written or shown."""

import logging
import re

from webemo_curate.errors import InputError

USERINFO = re.compile(
    r"""
    ^(\s*(?:[a-z][a-z0-9+.-]*:(?=[/\\]))?[/\\]*)   # a scheme, and slashes of any number and slant
    [^/\\?\#]*@                                    # all before the last @ of what names the host
    """,
    re.VERBOSE | re.IGNORECASE,
)
WITHIN = re.compile(r"([a-z][a-z0-9+.-]*:[/\\]+)[^/\\?#\s'\"]*@", re.IGNORECASE)
"""A URL's scheme, user and password in the midst of a text."""

MASK = "***@"


def masked(url: str) -> str:
    """Put `***` in place of a URL's user and password.

    Parameters
    ----------
    url : str
        Any text; what begins like a URL, or like the host of one, is taken for it.

    Returns
    -------
    str
        The same text if it holds none.
    """
    return USERINFO.sub(rf"\1{MASK}", url) if "@" in url else url


def masked_within(text: str) -> str:
    """Put `***` in place of users and passwords of all URLs in a text, such as a library's error.

    Parameters
    ----------
    text : str
        A message, a log line or a traceback.

    Returns
    -------
    str
        The same text if it holds none.
    """
    return WITHIN.sub(rf"\1{MASK}", text) if "@" in text else text


class MaskingFormatter(logging.Formatter):
    """Keeps users and passwords in URLs out of log lines and the tracebacks in them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's text; see `logging.Formatter.format`."""
        return masked_within(super().format(record))


def holds_credentials(url: str) -> bool:
    """Tell whether a URL names a user or password, also masked ones."""
    return bool(USERINFO.match(url))


def without_credentials(url: str, named: str) -> str:
    """Return a URL that somebody named; refuse one with a user or password.

    Parameters
    ----------
    url : str
        A URL, or the host of one.
    named : str
        The option or variable that named it.

    Returns
    -------
    str
        The same.

    Raises
    ------
    InputError
        What stands in a URL is printed, and shown to whoever lists processes.
    """
    if holds_credentials(url):
        raise InputError(f"{named} {masked(url)}: it holds credentials; give the URL without")
    return url
