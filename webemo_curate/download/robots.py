"""A site's wishes to robots: robots.txt by RFC 9309, and the X-Robots-Tag of an answer.

The parser is our own: of those on PyPI that were tried, one failed an example of the RFC's section
2.2.2 and took a group for `webemo` as meant for `webemo-curate`, and Python's own knows neither the
longest match nor `*` and `$`. Here any text is a valid file, and a match takes linear time.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

NO_AI = frozenset({"noai", "noimageai"})
"""X-Robots-Tag values by which a site keeps its pictures out of data sets."""

MAX_ROBOTS_BYTES = 500 * 1024
"""RFC 9309, section 2.5: a crawler must read at least 500 KiB; the rest may be left."""

MAX_ROBOTS_REDIRECTS = 5
"""RFC 9309, section 2.3.1.2: at least five are followed; beyond, a site counts as having none."""

TOKEN = re.compile(r"[A-Za-z_-]+")
ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
LINE_END = re.compile(r"\r\n|\r|\n")
UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
QUERY_PLAIN = UNRESERVED | set(":/")
"""What is compared unescaped in a query: there `https:` and `https%3A` are one (section 2.2.2)."""

AS_THEY_ARE = "/%!$&'()*+,:;=@[]?#"
"""Reserved characters, which quoting leaves alone."""


@dataclass(frozen=True, slots=True)
class RobotsRule:
    """A line `Allow:` or `Disallow:`.

    Attributes
    ----------
    allows
        Which of the two.
    length
        Octets of its pattern as compared: the longest that matches decides.
    pieces
        The pattern between its `*`.
    ends
        True if the path must end where the pattern does (`$`).
    """

    allows: bool
    length: int
    pieces: tuple[str, ...]
    ends: bool

    def matches(self, path: str) -> bool:
        """Tell whether a path begins as the pattern says.

        Taking the first place for each piece is enough, so that no pattern takes long.
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
        Those of the crawler's groups, in any order.
    """

    def __init__(self, rules: list[RobotsRule]) -> None:
        self._rules = sorted(rules, key=lambda rule: (-rule.length, not rule.allows))

    @property
    def size(self) -> int:
        """What it counts for in memory: its rules, and one for itself."""
        return len(self._rules) + 1

    def allows(self, url: str) -> bool:
        """Tell whether a URL may be asked for.

        Parameters
        ----------
        url : str
            As written on the wire.

        Returns
        -------
        bool
            What the longest rule that matches says, `Allow` where two are as long; True if none
            does.
        """
        parts = urlsplit(url)
        mark = "?" if parts.query else ""
        path = compared(parts.path or "/") + mark + compared(parts.query, query=True)
        path = path.replace("*", "%2A").replace("$", "%24")
        return next((rule.allows for rule in self._rules if rule.matches(path)), True)


def read_robots(content: bytes, agent: str) -> Robots:
    """Parse robots.txt (RFC 9309).

    Parameters
    ----------
    content : bytes
        The file, a byte order mark allowed; cut at the last whole line within `MAX_ROBOTS_BYTES`.
        Empty if the site has none: then everything is allowed.
    agent : str
        The crawler's product token. Groups that name it count, in any case of letters and all of
        them together; those for `*` only if none does.

    Returns
    -------
    Robots
        Never an exception: a line that makes no sense is no rule.
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
    """Bring a path or query to the form in which they are compared (RFC 9309, section 2.2.2).

    Parameters
    ----------
    text : str
        Any text.
    query : bool, optional
        Whether it is a query.

    Returns
    -------
    str
        Escapes of unreserved characters undone, other escapes in capitals, all that is not ASCII
        escaped as UTF-8.
    """
    plain = QUERY_PLAIN if query else UNRESERVED

    def undone(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if character in plain else match[0].upper()

    return ESCAPE.sub(undone, quote(text, safe=AS_THEY_ARE, errors="replace"))


def forbids_ai(tags: list[str]) -> bool:
    """Tell whether X-Robots-Tag headers keep an image out of data sets.

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
    """Read a pattern; an empty one matches nothing and is no rule."""
    if not value:
        return []
    ends = value.endswith("$")
    path, mark, query = value.removesuffix("$").partition("?")
    pattern = compared(path) + mark + compared(query, query=True)
    pieces = tuple(pattern.replace("$", "%24").split("*"))
    return [RobotsRule(allows, len(pattern) + ends, pieces, ends)]
