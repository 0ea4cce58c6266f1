"""Credentials in URLs: told, and kept out of whatever is written or shown."""

import re

USERINFO = re.compile(
    r"""
    ^(\s*(?:[a-z][a-z0-9+.-]*:(?=[/\\]))?[/\\]*)   # a scheme, and slashes of any number and slant
    [^/\\?\#]*@                                    # all before the last @ of what names the host
    """,
    re.VERBOSE | re.IGNORECASE,
)
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


def holds_credentials(url: str) -> bool:
    """Tell whether a URL names a user or password, also masked ones."""
    return bool(USERINFO.match(url))
