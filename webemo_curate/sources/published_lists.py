"""Download WEBEmo's lists from where they are published, once, and check them."""

import logging
import urllib.error
import urllib.request
from pathlib import Path

from webemo_curate.errors import CurateError
from webemo_curate.storage.atomic import write_bytes
from webemo_curate.system_faults import raise_system_fault

logger = logging.getLogger(__name__)

BASE_URL = "https://raw.githubusercontent.com/ccivit/download_webEmo/master"
"""A public copy; the authors' page is rpand002.github.io/emotion.html."""

LINES = {"category.txt": None, "train25.txt": 213_952, "test25.txt": 53_489}
"""The files and their published numbers of lines (267,441 URLs in all)."""

KEPT = "data/lists"
"""Below a workspace: where they are kept."""

MAX_LIST_BYTES = 64 * 2**20
TIMEOUT_SECONDS = 60.0


def published_lists(folder: Path, base_url: str = BASE_URL) -> Path:
    """Download the published lists, unless they are already there.

    Parameters
    ----------
    folder : Path
        Folder to keep them in.
    base_url : str
        URL to download them from.

    Returns
    -------
    Path
        The folder, holding `category.txt`, `train25.txt` and `test25.txt`.

    Raises
    ------
    CurateError
        If a list cannot be downloaded, or its number of lines differs from the published one.
    """
    for name, lines in LINES.items():
        if not (folder / name).exists():
            url = f"{base_url}/{name}"
            logger.info("downloading %s", url)
            write_bytes(folder / name, _checked(url, lines))
    return folder


def has_published_lists(folder: Path) -> bool:
    """Return whether a folder holds the downloaded lists."""
    return all((folder / name).is_file() for name in LINES)


def _checked(url: str, lines: int | None) -> bytes:
    content = _get(url)
    found = content.count(b"\n")
    if lines is not None and found != lines:
        raise CurateError(
            f"{url}: has {found} lines, {lines} were published; "
            "get the lists by hand and name their folder with --lists"
        )
    return content


def _get(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - ours
            content: bytes = answer.read(MAX_LIST_BYTES)
            return content
    except (urllib.error.URLError, OSError) as error:
        raise_system_fault(error, url)
        raise CurateError(
            f"{url}: cannot be downloaded ({error}); get category.txt, train25.txt and test25.txt "
            "by hand and name their folder with --lists"
        ) from error
