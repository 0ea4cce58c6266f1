"""Normalize URLs to the form that browsers and curl send, however a list or server writes them.

Sources: the URL Standard (https://url.spec.whatwg.org), RFC 3986, and UTS 46 for host names.
"""

import ipaddress
import re
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

import idna

PATH_CHARACTERS = "/%!$&'()*+,:;=@[]|^~"
"""Characters besides letters and digits that stay unescaped in a path; all others are escaped as
UTF-8."""

QUERY_CHARACTERS = PATH_CHARACTERS + "\\?`{}"

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_LABEL, MAX_HOST = 63, 253
"""Most octets of a label of a host's name, and of the whole name (RFC 1035, section 2.3.4)."""

HOST = re.compile(r"[a-z0-9_.-]+")
PLAIN = re.compile(
    r"https?://(?=[^/:]{1,253}[/:])[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*(?::[1-9][0-9]{3})?"
    r"(?:/(?!\.)[\w.~!$&'()*+,;=:@-]*)+(?:\?[\w.~!$&'()*+,;=:@/?-]+)?",
    re.ASCII,
)
"""URLs that are valid and in their requested form already, as most are: with no escapes, no segment
that begins with a dot, and no port but one of four digits."""

DOT_ESCAPE = re.compile(r"%2e", re.IGNORECASE)


def written(url: str) -> str:
    """Normalize a URL to ASCII, in the one form in which it is requested and compared.

    Parameters
    ----------
    url : str
        An absolute http(s) URL without credentials, in any script; blanks and backslashes are
        allowed.

    Returns
    -------
    str
        Scheme and host in lower case, the host as punycode, no default port, the path without dot
        segments, no fragment. Existing escapes stay unchanged.

    Raises
    ------
    ValueError
        If the host or port is invalid, or a character cannot be encoded.
    """
    parts = urlsplit(with_slashes(url))
    port = parts.port
    place = host_name(parts.hostname or "")
    if port is not None and port != DEFAULT_PORTS.get(parts.scheme):
        place = f"{place}:{port}"
    path = without_dots(quote(parts.path, safe=PATH_CHARACTERS)) or "/"
    query = quote(parts.query, safe=QUERY_CHARACTERS)
    return f"{parts.scheme}://{place}{path}" + (f"?{query}" if query else "")


def with_slashes(url: str) -> str:
    """Turn backslashes before the query into slashes, as browsers do in http(s) URLs."""
    end = min((url.index(mark) for mark in "?#" if mark in url), default=len(url))
    return url[:end].replace("\\", "/") + url[end:]


def host_name(host: str) -> str:
    """Normalize a host's name or address to the form used in look-ups.

    Parameters
    ----------
    host : str
        Without brackets; in any script, escaped or not.

    Returns
    -------
    str
        In lower case, each label in another script as punycode (UTS 46, non-transitional, as
        browsers do: names that IDNA 2008 refuses, such as emoji, are accepted too); an IPv6 address
        in brackets.

    Raises
    ------
    ValueError
        If no host can have that name.
    """
    if ":" in host:
        if "%" in host:
            raise ValueError("an address with a zone is none that others share")
        return f"[{ipaddress.IPv6Address(host).compressed}]"
    name = unquote_to_bytes(host).decode("utf-8")
    if not name.isascii():
        mapped = idna.uts46_remap(name, std3_rules=False, transitional=False)
        name = ".".join(_punycode(label) for label in mapped.split("."))
    name = name.lower()
    labels = name.removesuffix(".").split(".")
    if not HOST.fullmatch(name) or not all(0 < len(label) <= MAX_LABEL for label in labels):
        raise ValueError("the host's name is none")
    if len(name) > MAX_HOST:
        raise ValueError(f"the host's name is longer than {MAX_HOST} characters")
    return name


def without_dots(path: str) -> str:
    """Resolve `.` and `..` in a path, escaped or not; `..` at the root is dropped."""
    if "." not in path and not DOT_ESCAPE.search(path):
        return path
    kept: list[str] = []
    parts = path.split("/")[1:]
    for place, part in enumerate(parts):
        plain = DOT_ESCAPE.sub(".", part)
        if plain == "..":
            del kept[-1:]
        elif plain != ".":
            kept.append(part)
        if plain in (".", "..") and place == len(parts) - 1:
            kept.append("")
    return "/" + "/".join(kept)


def joined(url: str, location: bytes) -> str:
    """Resolve a Location header against the requested URL.

    Parameters
    ----------
    url : str
        The URL requested.
    location : bytes
        The header's value. Servers write it in UTF-8, in Latin-1 or with blanks: valid UTF-8 is
        decoded, any other byte is escaped as it is.

    Returns
    -------
    str
        An absolute URL, not yet checked.

    Raises
    ------
    ValueError
        If it cannot be read as a URL.
    """
    text = location.strip(b" \t").decode("utf-8", errors="surrogateescape")
    text = "".join(f"%{ord(c) - 0xDC00:02X}" if "\udc80" <= c <= "\udcff" else c for c in text)
    return urljoin(url, with_slashes(text))


def _punycode(label: str) -> str:
    return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
