"""What a site asks of robots: robots.txt, and the X-Robots-Tag of an answer."""

from urllib.robotparser import RobotFileParser

NO_AI = frozenset({"noai", "noimageai"})
"""X-Robots-Tag values by which a site keeps its pictures out of data sets."""

MAX_ROBOTS_BYTES = 500 * 1024
"""RFC 9309, section 2.5: a crawler must read at least 500 KiB; the rest may be left."""


def rules(content: bytes | None) -> RobotFileParser:
    """Parse robots.txt.

    Parameters
    ----------
    content : bytes or None
        The file; None if the host has none (RFC 9309: everything is allowed then).

    Returns
    -------
    RobotFileParser
        Answers `can_fetch(user_agent, url)`.
    """
    parser = RobotFileParser()
    text = (content or b"")[:MAX_ROBOTS_BYTES].decode("utf-8", errors="replace")
    parser.parse(text.splitlines())
    return parser


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
