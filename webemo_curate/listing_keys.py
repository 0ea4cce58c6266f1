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


def unit_of(urls: Iterable[str]) -> str:
    """Return the word for what a listing's URLs stand for.

    Parameters
    ----------
    urls : iterable of str
        As listed; bad rows among others do not count, since nobody knows what they are.

    Returns
    -------
    str
        `URLs`, `files`, `URLs and files`, or `rows`.
    """
    listed = list(urls)
    local = {url.startswith(LOCAL) for url in listed if not url.startswith(BAD)}
    if local == {True, False}:
        return "URLs and files"
    if local:
        return "files" if True in local else "URLs"
    return "rows" if listed else "URLs"
