"""Read the wishes of a site: robots.txt (RFC 9309) and the X-Robots-Tag of a response.

The parser is our own. Of the parsers on PyPI that were tried, one failed an example of the RFC's
section 2.2.2 and applied a group for `webemo` to `webemo-curate`; Python's own supports neither the
longest match nor `*` and `$`. This one accepts any text as a valid file, and a match takes linear
time.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

NO_AI = frozenset({"noai", "noimageai"})
"""X-Robots-Tag values that keep a site's pictures out of data sets."""

MAX_ROBOTS_BYTES = 500 * 1024
"""RFC 9309, section 2.5: a crawler must read at least 500 KiB; the rest may be ignored."""

MAX_ROBOTS_REDIRECTS = 5
"""RFC 9309, section 2.3.1.2: at least five redirects are followed; after more, the site counts as
having no robots.txt."""

MAX_STEPS = 2**25
"""Comparisons of characters that rules may take for a URL: files written for it would hold up all
other downloads for seconds, for each URL."""

PIECE_STEPS = 2**8
"""What seeking a piece of a pattern takes at least, in comparisons."""

STARS = re.compile(r"\*+")
TOKEN = re.compile(r"[A-Za-z_-]+")
ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
LINE_END = re.compile(r"\r\n|\r|\n")
UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
QUERY_PLAIN = UNRESERVED | set(":/")
"""Characters compared unescaped in a query, where `https:` and `https%3A` are equal (section
2.2.2)."""

AS_THEY_ARE = "/%!$&'()*+,:;=@[]?#"
"""Reserved characters, which quoting leaves unchanged."""


@dataclass(frozen=True, slots=True)
class RobotsRule:
    """A line `Allow:` or `Disallow:`.

    Attributes
    ----------
    allows
        Whether it is an `Allow` line.
    length
        Octets of its pattern in compared form; the longest matching rule decides.
    pieces
        The parts of the pattern between its `*`.
    ends
        Whether the pattern ends with `$`: the path must end with it.
    """

    allows: bool
    length: int
    pieces: tuple[str, ...]
    ends: bool

    def matches(self, path: str) -> bool:
        """Return whether a path matches the pattern.

        Each piece is matched at its first possible place, so no pattern needs backtracking.
        """
        first, *others = self.pieces
        if not path.startswith(first):
            return False
        place = len(first)
        last = others.pop() if self.ends and others else None
        for piece in others:
            found = path.find(piece, place)
            if found < 0:
                return False
            place = found + len(piece)
        if last is not None:
            return path.endswith(last) and len(path) - len(last) >= place
        return not self.ends or place == len(path)


class Robots:
    """The rules of one site for one crawler.

    Parameters
    ----------
    rules : list of RobotsRule
        The rules of all groups for this crawler, in any order.
    """

    def __init__(self, rules: list[RobotsRule]) -> None:
        self._rules = sorted(rules, key=lambda rule: (-rule.length, not rule.allows))
        sought = [rule.pieces[1:] for rule in rules if len(rule.pieces) > 1]
        # Pieces are sought one behind the other, so that a path is passed once for a rule.
        self._sought = sum(max(map(len, pieces)) for pieces in sought)
        self._pieces = sum(map(len, sought))

    @property
    def size(self) -> int:
        """Its size in a count of rules: its own number, plus one for itself."""
        return len(self._rules) + 1

    def allows(self, url: str) -> bool:
        """Return whether a URL may be requested.

        Parameters
        ----------
        url : str
            The URL as sent on the wire.

        Returns
        -------
        bool
            What the longest matching rule says, `Allow` if two are equally long; True if none
            matches. False if finding out takes more than `MAX_STEPS`.
        """
        if not self._rules:
            return True
        parts = urlsplit(url)
        mark = "?" if parts.query else ""
        path = compared(parts.path or "/") + mark + compared(parts.query, query=True)
        path = path.replace("*", "%2A").replace("$", "%24")
        if self._sought * len(path) + self._pieces * PIECE_STEPS > MAX_STEPS:
            return False
        return next((rule.allows for rule in self._rules if rule.matches(path)), True)


def read_robots(content: bytes, agent: str) -> Robots:
    """Parse a robots.txt file (RFC 9309).

    Parameters
    ----------
    content : bytes
        The file, with or without a byte order mark; cut after the last whole line within
        `MAX_ROBOTS_BYTES`. Empty if the site has none: then everything is allowed.
    agent : str
        The crawler's product token. All groups that name it, in any letter case, are merged; the
        groups for `*` count only if none names it.

    Returns
    -------
    Robots
        Always a result: a malformed line is skipped.
    """
    ours, everyone = agent.lower(), "*"
    groups: dict[str, list[RobotsRule]] = {}
    named: set[str] = set()
    naming = False
    for key, value in _lines(content):
        if key == "user-agent":
            named = (named if naming else set()) | ({_token(value)} & {ours, everyone})
            naming = True
            for name in named:
                groups.setdefault(name, [])
        elif key in ("allow", "disallow"):
            naming = False
            rules = _rules(key == "allow", value)
            for name in named:
                groups[name] += rules
    return Robots(groups.get(ours, groups.get(everyone, [])))


def compared(text: str, *, query: bool = False) -> str:
    """Normalize a path or query for comparison (RFC 9309, section 2.2.2).

    Parameters
    ----------
    text : str
        Any text.
    query : bool, optional
        Whether it is a query rather than a path.

    Returns
    -------
    str
        With escapes of unreserved characters decoded, other escapes in upper case, and non-ASCII
        characters escaped as UTF-8.
    """
    plain = QUERY_PLAIN if query else UNRESERVED

    def undone(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if character in plain else match[0].upper()

    return ESCAPE.sub(undone, quote(text, safe=AS_THEY_ARE, errors="replace"))


def forbids_ai(tags: list[str]) -> bool:
    """Return whether X-Robots-Tag headers keep an image out of data sets.

    Parameters
    ----------
    tags : list of str
        The headers' values; a value may name a robot before a colon.

    Returns
    -------
    bool
        True if `noai` or `noimageai` is among them.
    """
    words = {word.strip().lower() for tag in tags for word in tag.replace(":", ",").split(",")}
    return bool(words & NO_AI)


def _lines(content: bytes) -> list[tuple[str, str]]:
    if len(content) > MAX_ROBOTS_BYTES:
        content = content[:MAX_ROBOTS_BYTES]
        content = content[: max(content.rfind(b"\n"), content.rfind(b"\r")) + 1]
    text = content.decode("utf-8-sig", errors="replace")
    pairs = (line.partition("#")[0].partition(":") for line in LINE_END.split(text))
    return [(key.strip().lower(), value.strip()) for key, colon, value in pairs if colon]


def _token(value: str) -> str:
    """Return the product token of a `User-agent` line, without its version."""
    found = TOKEN.match(value)
    return found[0].lower() if found else "*" if value.startswith("*") else ""


def _rules(allows: bool, value: str) -> list[RobotsRule]:
    """Parse a pattern; an empty one matches nothing, so it gives no rule."""
    if not value:
        return []
    ends = value.endswith("$")
    path, mark, query = value.removesuffix("$").partition("?")
    pattern = compared(path) + mark + compared(query, query=True)
    pieces = tuple(STARS.sub("*", pattern.replace("$", "%24")).split("*"))
    return [RobotsRule(allows, len(pattern) + ends, pieces, ends)]
