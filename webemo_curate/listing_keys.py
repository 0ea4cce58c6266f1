"""The values of `listing.url`: URLs, and keys of local files and of bad rows."""

from typing import Final

LOCAL: Final = "file:"
"""Prefix of the key of a local file."""

BAD: Final = "row:"
"""Prefix of the key of a bad row."""


def local_key(name: str, file: str) -> str:
    """Return the key that stands in the listing's `url` for a local file."""
    return f"{LOCAL}{name}/{file}"


def bad_key(name: str, line: int) -> str:
    """Return the key that stands in the listing's `url` for a bad row."""
    return f"{BAD}{name}/{line}"


def file_of(url: str) -> str | None:
    """Return the file that a key names, relative to its source; None for a real URL."""
    return url.removeprefix(LOCAL).partition("/")[2] if url.startswith(LOCAL) else None


def unit_of(*, local: bool, remote: bool, some: bool) -> str:
    """Return the word for what a listing's URLs stand for.

    Parameters
    ----------
    local, remote : bool
        Whether local files, and real URLs, are among them.
    some : bool
        Whether there are any at all. Bad rows beside others do not count, because nobody knows what
        they are.

    Returns
    -------
    str
        `URLs`, `files`, `URLs and files`, or `rows`.
    """
    if local and remote:
        return "URLs and files"
    if local or remote:
        return "files" if local else "URLs"
    return "rows" if some else "URLs"
