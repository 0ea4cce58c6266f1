"""The values of `listing.url`: URLs, local files, and rows that are neither."""

from collections.abc import Iterable
from typing import Final

LOCAL: Final = "file:"
"""The beginning of what stands for the URL of a local file."""

BAD: Final = "row:"
"""The beginning of what stands for the URL of a bad row."""


def local_key(name: str, file: str) -> str:
    """Return what stands for a URL in the listing of a local file."""
    return f"{LOCAL}{name}/{file}"


def bad_key(name: str, line: int) -> str:
    """Return what stands for a URL in the listing of a bad row."""
    return f"{BAD}{name}/{line}"


def file_of(url: str) -> str | None:
    """Return the file that a listing's URL stands for, below its source; None of a true URL."""
    return url.removeprefix(LOCAL).partition("/")[2] if url.startswith(LOCAL) else None


def unit_of(*, local: bool, remote: bool, some: bool) -> str:
    """Return the word for what a listing's URLs stand for.

    Parameters
    ----------
    local, remote : bool
        Whether there are local files, and true URLs among them.
    some : bool
        Whether there are any at all: bad rows among others do not count, since nobody knows what
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


def unit_of_urls(urls: Iterable[str]) -> str:
    """Return the word for what some of a listing's URLs stand for; see `unit_of`."""
    listed = list(urls)
    local = {url.startswith(LOCAL) for url in listed if not url.startswith(BAD)}
    return unit_of(local=True in local, remote=False in local, some=bool(listed))
