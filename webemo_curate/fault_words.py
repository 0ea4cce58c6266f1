"""Read what libraries say of the machine in words, where they give no error number.

Names of files and what they hold come from outside, and may hold the same words. So what a message
quotes is left out, an error that has a number is judged by its number, and a parser's error, which
shows what it read, tells nothing of the machine.
"""

import errno
import os
import re
from typing import Final

from webemo_curate.errors import CurateError

QUOTED: Final = re.compile(r"(?<!\w\w)(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`[^`]*`)")
"""What a message quotes, bytes too; the apostrophe of `can't` begins nothing."""

TOLD_IN_WORDS: Final = (
    errno.ENFILE,  # its text begins with that of the next
    errno.EMFILE,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EIO,
    errno.ESTALE,
)
"""Errors whose text native code passes on: DuckDB, safetensors, torch, ONNX Runtime."""

NO_THREAD: Final = re.compile(r"can't start new thread|Failed to launch worker thread")
"""Texts by which Python and Arrow report that the system permits no further thread."""

WORDS: Final = {
    code: re.compile(rf"{re.escape(os.strerror(code))}|\bos error {code}\b")
    for code in TOLD_IN_WORDS
} | {errno.EAGAIN: NO_THREAD}

NO_MEMORY: Final = re.compile(
    r"out of memory|insufficient memory|bad_?alloc|(?:cannot|can't|failed to) allocate"
    r"|failed to map segment",
    re.IGNORECASE,
)
"""Texts by which Pillow, OpenCV, ONNX Runtime, torch and the loader of modules report a lack of
memory."""

NO_TEMPORARY_FILE: Final = "No usable temporary directory"
"""Text by which `tempfile` reports that it could write nowhere; see `temporary_folder`."""


def own_words(error: BaseException) -> str:
    """Return what an error says of its own, without the names and the content that it quotes.

    Parameters
    ----------
    error : BaseException
        Any error.

    Returns
    -------
    str
        Empty for our own errors, which quote others, for a parser's, and if there is a number.
    """
    numbered = isinstance(error, OSError) and error.errno is not None
    if numbered or isinstance(error, CurateError) or _is_of_parser(error):
        return ""
    return QUOTED.sub("''", str(error))


def told_code(error: BaseException) -> int | None:
    """Return the error number that a library tells in words; None if it tells none."""
    words = own_words(error)
    return next((code for code, text in WORDS.items() if text.search(words)), None)


def is_of_memory(error: BaseException) -> bool:
    """Return whether an error reports a lack of memory, the machine's or a limit's."""
    return isinstance(error, MemoryError) or bool(NO_MEMORY.search(own_words(error)))


def is_of_temporary_files(error: BaseException) -> bool:
    """Return whether `tempfile` found no folder to write in."""
    said = error.strerror if isinstance(error, FileNotFoundError) else None
    return (said or "").startswith(NO_TEMPORARY_FILE)


def _is_of_parser(error: BaseException) -> bool:
    """Return whether an error may show the text that was parsed, as YAML's do with its lines."""
    return isinstance(error, ValueError) or type(error).__module__.startswith("yaml.")
