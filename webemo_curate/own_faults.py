"""Distinguish this program's own faults from faults of the current picture or URL.

Only an error that a library raises while it reads a file is the file's fault. An error of our own
lines (a `TypeError`, an index out of range) would occur with any similar file, and says nothing
about this one: fetch and images record it as `internal_error`, every other part ends with an
`OwnFaultError`.
"""

import logging
import traceback
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from webemo_curate.errors import CurateError
from webemo_curate.fault_words import is_of_memory
from webemo_curate.system_faults import raise_system_fault

PACKAGE: Final = Path(__file__).parent
LIBRARIES_OWN: Final = (OSError, RuntimeError, EOFError, ArithmeticError)
"""Built-in exceptions that native code raises in its caller about the file that it reads."""

SHOWN: Final = 5
"""Most faults listed at a stage's end, the most frequent first."""

logger = logging.getLogger(__name__)


class OwnFaultError(CurateError):
    """An error in this program; exit code 1.

    Parameters
    ----------
    what : str
        The error and where it was raised; equal for equal files.
    place : str, optional
        The file that was being read.
    """

    def __init__(self, what: str, place: str = "") -> None:
        where = f"{place}: " if place else ""
        super().__init__(
            f"{where}a fault of webemo-curate, not of the file: {what}; please report it with that "
            "file"
        )
        self.what, self.place = what, place


def raise_other_fault(error: Exception, place: str = "") -> None:
    """Raise if an error is the machine's or this program's fault, not the picture's.

    Parameters
    ----------
    error : Exception
        The error caught.
    place : str, optional
        The file that was being read, for the message.

    Raises
    ------
    SystemFaultError
        See `system_faults.raise_system_fault`.
    OwnFaultError
        If our own lines raised it.
    """
    raise_system_fault(error, place)
    if isinstance(error, OwnFaultError):
        raise error
    if _is_own(error):
        raise OwnFaultError(described(error), place) from error


def described(error: Exception) -> str:
    """Describe an error and the last of our lines that it passed through, without varying parts."""
    lines = [f for f in traceback.extract_tb(error.__traceback__) if _is_ours(f.filename)]
    last = lines[-1] if lines else None
    where = f" ({Path(last.filename).relative_to(PACKAGE)}, line {last.lineno})" if last else ""
    return f"{type(error).__name__}: {error}{where}"


def warn_of_own(faults: Iterable[str], what: str) -> None:
    """Log at a stage's end how many rows this program failed on, and how.

    Parameters
    ----------
    faults : iterable of str
        `OwnFaultError.what` of each row.
    what : str
        What the rows are, in the plural.
    """
    for fault, count in Counter(faults).most_common(SHOWN):
        logger.warning(
            "internal_error: %d %s could not be read for a fault of webemo-curate, not of theirs: "
            "%s; please report it",
            *(count, what, fault),
        )


def _is_own(error: Exception) -> bool:
    """Return whether our own line raised a programming error."""
    if isinstance(error, LIBRARIES_OWN) or is_of_memory(error):
        return False
    if type(error).__module__ != "builtins":
        return False  # a library's own exception class
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and _is_ours(frames[-1].filename)


def _is_ours(file: str) -> bool:
    return Path(file).is_relative_to(PACKAGE)
