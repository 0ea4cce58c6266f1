"""Names that others gave, made safe as names of folders."""

import re
import unicodedata
from collections.abc import Sequence

MAX_BYTES = 100
UNSAFE = re.compile(r"[^\w.-]+")
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""What Windows opens as a device, whatever the folder."""


def folder_names(names: Sequence[str]) -> tuple[str, ...]:
    """Make folder names of class names.

    Parameters
    ----------
    names : sequence of str
        Any text.

    Returns
    -------
    tuple of str
        In the same order: letters, digits, `_`, `.` and `-`, never hidden or empty, a device or
        longer than a file system takes; distinct, also where case does not count.
    """
    taken: set[str] = set()
    made = []
    for number, name in enumerate(names):
        slug = _slug(name)
        while slug.casefold() in taken:
            slug = f"{slug}-{number}"
        taken.add(slug.casefold())
        made.append(slug)
    return tuple(made)


def _slug(name: str) -> str:
    plain = UNSAFE.sub("_", unicodedata.normalize("NFKC", name))
    short = plain.encode(errors="ignore")[:MAX_BYTES].decode(errors="ignore")
    slug = short.strip("._-") or "class"
    return f"_{slug}" if DEVICES.fullmatch(slug) else slug
