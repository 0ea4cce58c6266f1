"""Write URLs as browsers and curl put them on the wire, whatever a list or a server has.

Sources: the URL Standard (https://url.spec.whatwg.org), RFC 3986, and UTS 46 for names of hosts.
"""

import ipaddress
import re
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

import idna

PATH_CHARACTERS = "/%!$&'()*+,:;=@[]|^~"
"""What stays as it is in a path, beside letters and digits; all else is escaped as UTF-8."""

QUERY_CHARACTERS = PATH_CHARACTERS + "\\?`{}"

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_LABEL, MAX_HOST = 63, 253
"""Of a host's name: octets of a part between dots, and of the whole (RFC 1035, section 2.3.4)."""

HOST = re.compile(r"[a-z0-9_.-]+")
DOT_ESCAPE = re.compile(r"%2e", re.IGNORECASE)


def written(url: str) -> str:
    """Write a URL in ASCII, the one way it is asked for and compared.

    Parameters
    ----------
    url : str
        An absolute http(s) URL without credentials; any script, blanks and backslashes allowed.

    Returns
    -------
    str
        Scheme and host in lower case, the host as punycode, no default port, the path without
        dot segments, no fragment; escapes that were there stay as they are.

    Raises
    ------
    ValueError
        If a host or port cannot be one, or a character has no encoding.
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
    """Write the name or address of a host as it is looked up.

    Parameters
    ----------
    host : str
        Without brackets; any script, also escaped.

    Returns
    -------
    str
        Lower case, each part in another script as punycode (UTS 46, non-transitional, as browsers
        do it: names that IDNA 2008 alone would refuse, such as signs, are looked up too); an IPv6
        address in brackets.

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
    """Resolve `.` and `..` in a path, also escaped ones; from its start there is no way up."""
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
    """Resolve a Location header against the URL that was asked for.

    Parameters
    ----------
    url : str
        What was asked for.
    location : bytes
        As it came. Servers write it in UTF-8, in Latin-1, or with blanks: what is UTF-8 is read as
        that, any other byte is escaped as it stands.

    Returns
    -------
    str
        An absolute URL; not yet checked.

    Raises
    ------
    ValueError
        If there is no way to read it.
    """
    text = location.strip(b" \t").decode("utf-8", errors="surrogateescape")
    text = "".join(f"%{ord(c) - 0xDC00:02X}" if "\udc80" <= c <= "\udcff" else c for c in text)
    return urljoin(url, with_slashes(text))


def _punycode(label: str) -> str:
    return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
